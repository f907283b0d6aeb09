package plugins_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"livelab/pipeline/features"
)

// TestGuideListsColumns holds the guide's table of what a transform can read to
// the catalogue.
func TestGuideListsColumns(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range features.Catalogue() {
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", f.Name, f.Unit, f.Doc); !strings.Contains(string(guide), row) {
			t.Errorf("README.md does not hold this row:\n%s", row)
		}
	}
}
