package retrain

import (
	"context"
	"fmt"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/train"
)

// Rows gives the rows of a dataset, with the transforms' outputs, as a training
// walks them.
func Rows(task features.Task, d *dataset.Dataset, ts []features.Transform) (*features.Source, error) {
	if task.Entity == features.EntityStation && (d.Stations == nil || len(d.Stations.List) == 0) {
		return nil, fmt.Errorf("the dataset of %s holds no stations, which %s is about; freeze it again with `livelab dataset`, from a store that has them",
			d.Network.ID, task.Name)
	}
	if task.Entity == features.EntityNetwork && len(d.Series.Points) > 0 && len(features.RowTimes(task, d.Series)) == 0 {
		return nil, fmt.Errorf("none of the %d snapshots of %s shows a station whose bikes and empty slots are both known; %s cannot be asked of a network without docks",
			len(d.Series.Points), d.Network.ID, task.Name)
	}
	return features.NewSource(task, d.History(), ts)
}

// counted is rows with what transforms failed on in their first whole walk: a
// training may walk them several times.
type counted struct {
	train.Rows
	transforms []features.Transform
	walked     bool
	failures   []Failures
}

// Blocks implements train.Rows.
func (c *counted) Blocks(ctx context.Context, from, to time.Time, yield func(*features.Frame) error) error {
	if c.walked || !from.IsZero() || !to.IsZero() {
		return c.Rows.Blocks(ctx, from, to, yield)
	}
	c.walked = true
	before, rows := tally(c.transforms), 0
	err := c.Rows.Blocks(ctx, from, to, func(f *features.Frame) error {
		rows += f.Rows()
		return yield(f)
	})
	c.failures = failuresSince(before, c.transforms, rows)
	return err
}
