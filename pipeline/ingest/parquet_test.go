package ingest

import (
	"strings"
	"testing"
)

func TestOpenParquetRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, want string }{
		"nothing":        {"", "0 bytes are too few"},
		"a page":         {"<!DOCTYPE html>\n<title>Sign in</title>" + strings.Repeat("<p>", 99), `begins "<!DOCTYPE html> <title>Sign in</title><p>`},
		"bytes":          {"\x1f\x8b\x00\x00not Parquet", "it is no Parquet file"},
		"the start only": {"PAR1 and then the rest", "cut off"},
		"a long footer":  {"PAR1\xff\xff\xff\xffPAR1", "claims 4294967295 bytes"},
	} {
		_, err := openParquet(strings.NewReader(test.body), int64(len(test.body)))
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 200 {
			t.Errorf("%s: error %v, want a short one with %q", name, err, test.want)
		}
	}
}
