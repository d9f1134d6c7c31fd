package db

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// What SQLite's file format says of a rollback journal: https://www.sqlite.org/fileformat.html,
// section 3. A journal that names a super-journal ends with the same magic.
const (
	journalMagic  = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	journalHeader = 28
	journalUnset  = 0xffffffff // the number of pages, where the size of the file tells it
)

// journal is the beginning of a rollback journal, up to where it was synced first.
type journal struct {
	io.ReaderAt
	magic          string
	pages, initial uint32 // how many are in it, and how many the database had
	sector, page   uint32
	size           int64
}

// readJournal reads the header of the journal at path; nil where there is nothing that SQLite would play
// back, be it that it was played back meanwhile.
func readJournal(path string, use func(*journal) error) error {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return denied(path, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var header [journalHeader]byte
	switch _, err := file.ReadAt(header[:], 0); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	field := func(i int) uint32 { return binary.BigEndian.Uint32(header[8+4*i:]) }
	j := &journal{ReaderAt: file, magic: string(header[:8]), pages: field(0), initial: field(2), sector: field(3), page: field(4), size: info.Size()}
	if j.magic != journalMagic {
		return nil
	}
	return use(j)
}

// namesAnother tells whether the journal ends with the name of a journal of several files, by which
// SQLite would look for others.
func (j *journal) namesAnother() (bool, error) {
	return j.hasMagic(j.size - int64(len(journalMagic)))
}

// hasMagic tells whether the magic stands at an offset.
func (j *journal) hasMagic(at int64) (bool, error) {
	found := make([]byte, len(journalMagic))
	_, err := j.ReadAt(found, at)
	if errors.Is(err, io.EOF) {
		err = nil // it ends before that, or was cut off meanwhile
	}
	return string(found) == journalMagic, err
}

// isOf tells whether the journal is one of a registry with such an id, whose file has that
// size: every change rewrites the row that holds the id first, so that its journal has the page
// of that row as it was. A journal in which nothing was synced yet has no page, and
// then the file was not changed.
func (j *journal) isOf(is func(id string) bool, fileSize int64) (bool, error) {
	if j.page != pageSize || j.sector < journalHeader || j.sector > 64<<10 {
		return false, nil
	}
	const around = 8 // a page has its number before it and a checksum behind
	pages := int64(j.pages)
	if j.pages == journalUnset {
		pages = (j.size - int64(j.sector)) / (pageSize + around)
	}
	if pages == 0 {
		// SQLite plays back what stands behind a part without pages, and never writes such a thing: it
		// begins another part when the one before is synced and counted.
		more, err := j.hasMagic(int64(j.sector))
		return !more && int64(j.initial)*pageSize == fileSize, err
	}
	page := make([]byte, pageSize)
	for i := range pages {
		_, err := j.ReadAt(page, int64(j.sector)+i*(pageSize+around)+4)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if id, ok := idIn(page); ok && is(id) {
			return true, nil
		}
	}
	return false, nil
}

// idIn reads the id of a registry out of the page that holds its row: a leaf of a table with one
// row, whose first columns are the rowid and the id. It reads the row and searches for nothing, for what
// was imported may stand anywhere else.
func idIn(page []byte) (id string, ok bool) {
	const leaf = 0x0d
	if page[0] != leaf || binary.BigEndian.Uint16(page[3:]) != 1 {
		return "", false
	}
	rest := page[min(int(binary.BigEndian.Uint16(page[8:])), len(page)):]
	var fields [5]uint64 // the payload's size, the rowid, the header's size, and the types of two columns
	read := 0
	for i := range fields {
		value, n := varint(rest)
		if n == 0 {
			return "", false
		}
		fields[i], rest = value, rest[n:]
		if i >= 2 {
			read += n
		}
	}
	const null, text64 = 0, 13 + 2*64 // the rowid is no column of the record; a text of the id's length
	behind := int(fields[2]) - read   // the rest of the header
	if fields[1] != 1 || fields[3] != null || fields[4] != text64 || behind < 0 || behind+64 > len(rest) {
		return "", false
	}
	id = string(rest[behind : behind+64])
	return id, isRegistryID(id)
}

// varint reads a number as SQLite writes it, and how many bytes that are; none where there
// are too few. None of the numbers here needs the ninth byte.
func varint(b []byte) (value uint64, n int) {
	for n < min(len(b), 8) {
		value = value<<7 | uint64(b[n]&0x7f)
		n++
		if b[n-1]&0x80 == 0 {
			return value, n
		}
	}
	return 0, 0
}
