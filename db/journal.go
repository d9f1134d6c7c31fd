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

// journal is a rollback journal, and its first header.
type journal struct {
	io.ReaderAt
	size int64
	journalPart
}

// journalPart is a header of a journal, which has one more for each time that it was synced.
type journalPart struct {
	pages, initial uint32 // how many are behind it, and how many the database had
	sector, page   uint32
}

// readJournal opens the journal at path for use, unless there is nothing in it that SQLite
// would play back, be it that it was played back meanwhile.
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
	j := &journal{ReaderAt: file, size: info.Size()}
	there := false
	if j.journalPart, there, err = j.part(0); err != nil || !there {
		return err
	}
	return use(j)
}

// part reads the header at an offset, and tells whether there is one.
func (j *journal) part(at int64) (p journalPart, there bool, err error) {
	var header [journalHeader]byte
	_, err = j.ReadAt(header[:], at)
	if errors.Is(err, io.EOF) {
		return p, false, nil
	}
	field := func(i int) uint32 { return binary.BigEndian.Uint32(header[8+4*i:]) }
	p = journalPart{pages: field(0), initial: field(2), sector: field(3), page: field(4)}
	return p, err == nil && string(header[:8]) == journalMagic, err
}

// namesAnother tells whether the journal ends with the name of a journal of several files, by which
// SQLite would look for others.
func (j *journal) namesAnother() (bool, error) {
	end := make([]byte, len(journalMagic))
	_, err := j.ReadAt(end, j.size-int64(len(end)))
	if errors.Is(err, io.EOF) {
		err = nil // it was cut off meanwhile
	}
	return string(end) == journalMagic, err
}

// isOf tells whether the journal is one of a registry whose id is one of these, and whose file has that
// size: every change rewrites the row that holds the id first, so that its journal has the page
// of that row as it was. A journal in which nothing was synced yet has no page, and
// then the file was not changed.
func (j *journal) isOf(is func(id string) bool, fileSize int64) (bool, error) {
	if j.page != pageSize || j.sector < journalHeader || j.sector > 64<<10 {
		return false, nil
	}
	if j.pages == 0 {
		// SQLite plays back what stands behind a part without pages, and never writes such a thing: it
		// begins another part when the one before is synced and counted.
		_, more, err := j.part(int64(j.sector))
		return !more && int64(j.initial)*pageSize == fileSize, err
	}
	const around = 8 // a page has its number before it and a checksum behind
	page, sector := make([]byte, pageSize), int64(j.sector)
	for at, p := int64(0), j.journalPart; ; {
		pages := int64(p.pages)
		if p.pages == journalUnset {
			pages = (j.size - at - sector) / (pageSize + around)
		}
		for i := range min(pages, j.size/pageSize) {
			_, err := j.ReadAt(page, at+sector+i*(pageSize+around)+4)
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
		at += sector + pages*(pageSize+around)
		at += (sector - at%sector) % sector
		next, there, err := j.part(at)
		if err != nil || !there || next.pages == 0 {
			return false, err
		}
		p = next
	}
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
