package history

import (
	"io"
	"os"
)

// Image is a database in a file of its own, for [Log.Rewind] to change.
type Image struct {
	f        *os.File
	pageSize int
	pages    uint32
	cache    map[uint32][]byte // pages that are not written yet
}

// maxCached is how many pages wait to be written.
const maxCached = 1024

// NewImage returns the image that is in a file.
func NewImage(f *os.File, pageSize int) *Image {
	return &Image{f: f, pageSize: pageSize, cache: make(map[uint32][]byte)}
}

// Resize makes the image larger or smaller.
func (img *Image) Resize(pages uint32) { img.pages = pages }

// page returns a page, to be changed.
func (img *Image) page(n uint32) ([]byte, error) {
	if n == 0 || n > img.pages {
		return nil, errEntry
	}
	if page, ok := img.cache[n]; ok {
		return page, nil
	}
	if len(img.cache) >= maxCached {
		if err := img.write(); err != nil {
			return nil, err
		}
	}
	page := make([]byte, img.pageSize)
	if _, err := img.f.ReadAt(page, img.offset(n)); err != nil && err != io.EOF {
		return nil, err
	}
	img.cache[n] = page
	return page, nil
}

func (img *Image) offset(page uint32) int64 { return int64(page-1) * int64(img.pageSize) }

// write writes the pages that wait.
func (img *Image) write() error {
	for n, page := range img.cache {
		if _, err := img.f.WriteAt(page, img.offset(n)); err != nil {
			return err
		}
	}
	clear(img.cache)
	return nil
}

// flush brings the file up to date.
func (img *Image) flush() error {
	if err := img.write(); err != nil {
		return err
	}
	return img.f.Truncate(int64(img.pages) * int64(img.pageSize))
}
