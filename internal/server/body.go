package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// The bounds of a body that is JSON. One of 64 KiB is small; an operation that takes a long list says so.
const (
	smallBody = 64 << 10
	longBody  = 1 << 20
	maxValues = 20_000 // in one document: a value takes a hundred times what it has in the text
	maxItems  = 10_000 // in one array, the longest that is described
	maxDepth  = 16     // nothing that is described is as deep
)

// strictJSON reads and writes bodies. The library takes a null for a member that was left out, though no
// description allows it, the last of two members of one name, and for text that is no UTF-8 something else.
// Each of these is a fault here.
var strictJSON = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(text []byte, into any) error {
		if !json.Valid(text) {
			return huma.DefaultJSONFormat.Unmarshal(text, into) // which says where
		}
		read := reader{text: text, decoder: json.NewDecoder(bytes.NewReader(text))}
		found, err := read.value(0)
		if err != nil {
			return err
		}
		if document, ok := into.(*any); ok {
			*document = found
			return nil
		}
		return huma.DefaultJSONFormat.Unmarshal(text, into)
	},
}

// fault stands in a document in the place of a value that nothing may have. It is of no type that is
// described, so it is refused with a pointer to it.
type fault string

const (
	isNull     fault = "it is null; leave it out instead"
	isTwice    fault = "it is there more than once"
	isNoText   fault = "it is not valid UTF-8"
	isTooLong  fault = "it has too many items"
	isNoScalar fault = "it is an object or an array"
)

var (
	errTooMuch = fmt.Errorf("it has more than %d values", maxValues)
	errTooDeep = errors.New("it is nested too deeply")
)

// reader reads a document value by value, and stops where it is too much.
type reader struct {
	text    []byte
	decoder *json.Decoder
	values  int
}

// value reads the next value, which is that deep.
func (r *reader) value(depth int) (any, error) {
	if r.values++; r.values > maxValues {
		return nil, errTooMuch
	}
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := r.token()
	switch token {
	case nil:
		return isNull, err
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		return r.array(depth)
	}
	return token, err
}

// token reads the next part of the text. A name or a text that is no UTF-8 is a fault.
func (r *reader) token() (any, error) {
	before := r.decoder.InputOffset()
	token, err := r.decoder.Token()
	if text, ok := token.(string); ok && !isText(r.text[before:r.decoder.InputOffset()], text) {
		return isNoText, err
	}
	return token, err
}

// isText tells whether a string was read as it is written: Go reads what is no UTF-8, and the half of a
// surrogate pair, as U+FFFD.
func isText(written []byte, read string) bool {
	if replaced := strings.ContainsRune(read, utf8.RuneError); !replaced || !utf8.Valid(written) {
		return !replaced
	}
	meant := bytes.Count(written, []byte("\uFFFD")) + bytes.Count(bytes.ToLower(written), []byte(`\ufffd`))
	return strings.Count(read, "\uFFFD") <= meant
}

func (r *reader) object(depth int) (any, error) {
	object := map[string]any{}
	for r.decoder.More() {
		name, err := r.token()
		if err != nil {
			return nil, err
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		text, ok := name.(string)
		if !ok { // none that is described
			text, value = string(utf8.RuneError), name
		}
		if _, known := object[text]; known {
			value = isTwice
		}
		object[text] = value
	}
	_, err := r.decoder.Token()
	return object, err
}

// array reads the rest of an array. No array that is described has objects or arrays in it, and the library
// can't compare them.
func (r *reader) array(depth int) (any, error) {
	array := []any{}
	for r.decoder.More() {
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		switch value.(type) {
		case map[string]any, []any:
			value = isNoScalar
		}
		array = append(array, value)
	}
	if _, err := r.decoder.Token(); err != nil || len(array) <= maxItems {
		return array, err
	}
	return isTooLong, nil
}
