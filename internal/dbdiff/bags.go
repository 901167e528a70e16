package dbdiff

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rows without a key are compared by their digests, as so many on each side. Sums over
// buckets of digests tell which buckets differ, and only these are listed.
const (
	bucketCount = 256
	bucketRows  = 50_000 // of the buckets that are listed together
)

func (c *comparison) bags(ctx context.Context) error {
	var sums [2][bucketCount]Checksum
	for i, side := range c.sides {
		if i == 0 {
			side.progress = c.opts.Progress
		}
		err := side.buckets(ctx, bucketCount, func(bucket int64, s Checksum) { sums[i][bucket].add(s) })
		if err != nil {
			return err
		}
	}
	var buckets []string
	rows := int64(0)
	for i := range sums[0] {
		a, b := sums[0][i], sums[1][i]
		if a == b {
			continue
		}
		if len(buckets) > 0 && rows+a.Rows+b.Rows > bucketRows {
			if err := c.listBuckets(ctx, buckets); err != nil {
				return err
			}
			buckets, rows = nil, 0
		}
		buckets = append(buckets, strconv.Itoa(i))
		rows += a.Rows + b.Rows
	}
	if len(buckets) == 0 {
		return nil
	}
	return c.listBuckets(ctx, buckets)
}

// listBuckets compares the rows of some buckets.
func (c *comparison) listBuckets(ctx context.Context, buckets []string) error {
	where := fmt.Sprintf(" WHERE d&%d IN (%s)", bucketCount-1, strings.Join(buckets, ","))
	var left [2]map[string][][]any // keys by digest
	var order [2][]string
	for i, side := range c.sides {
		left[i] = map[string][][]any{}
		err := side.parts(ctx, span{}, func(s source) []statement { return side.listed(s, where) }, func(results [][][]any) error {
			some, err := entries(results[0])
			for _, e := range some {
				if i == 1 && len(left[0][e.digest]) > 0 { // the same row
					left[0][e.digest] = left[0][e.digest][1:]
					continue
				}
				left[i][e.digest] = append(left[i][e.digest], e.key)
				order[i] = append(order[i], e.digest)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	var changes []change
	for i := range left {
		for _, digest := range unique(order[i]) {
			for _, key := range left[i][digest] {
				changes = append(changes, [2]change{{before: key}, {after: key}}[i])
			}
		}
	}
	for _, ch := range changes {
		c.count(ch)
	}
	return c.give(ctx, changes)
}

// unique leaves out what was there before.
func unique(digests []string) []string {
	seen := make(map[string]bool, len(digests))
	return slices.DeleteFunc(digests, func(d string) bool {
		before := seen[d]
		seen[d] = true
		return before
	})
}
