package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"livelab/runtime/predlog"
	"livelab/sql/internal/value"
)

// refusal marks an error that lies in the data, of which the database says so
// with SQLSTATE class 22 (data exception) or 23 (constraint violation): the
// same rows would be refused again. Explained is what is told of it.
func refusal(rows []value.Prediction, err, explained error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || !isOfData(refused.Code) || isWithoutPartition(err) {
		return explained
	}
	if i, known := copyLine(refused.Where); known && i < len(rows) {
		return fmt.Errorf("%w %s: %w", predlog.ErrRefused, rows[i].ID, explained)
	}
	return fmt.Errorf("%w: %w", predlog.ErrRefused, explained)
}

func isOfData(code string) bool {
	return strings.HasPrefix(code, "22") || strings.HasPrefix(code, "23")
}

var linePattern = regexp.MustCompile(`^COPY \w+, line (\d+)`)

// copyLine finds the row, counted from 0, in the context that COPY gives its
// errors: "COPY prediction_log, line 3, column model".
func copyLine(where string) (row int, known bool) {
	groups := linePattern.FindStringSubmatch(where)
	if groups == nil {
		return 0, false
	}
	line, err := strconv.Atoi(groups[1])
	return line - 1, err == nil && line > 0
}
