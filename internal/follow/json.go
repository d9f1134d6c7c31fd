package follow

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep the values of a JSON file may nest; serde_json, which the
// original reads with, gives up a little later.
const maxDepth = 120

// object is a JSON object: its members in their order, each value as compact JSON text
// whose strings are escaped as serde_json escapes them, so that equal values are
// equal bytes. Numbers keep their spelling.
type object []pair

type pair struct{ name, value string }

// parseObject returns the object that text is. Its errors quote nothing of the text.
func parseObject(text []byte) (object, error) {
	if !utf8.Valid(text) {
		return nil, corrupt("it is not UTF-8")
	}
	if bytes.HasPrefix(text, []byte("\uFEFF")) {
		return nil, corrupt("it starts with a byte order mark")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, corrupt("it is not JSON near line %d", lineOf(text, err))
	}
	compact, err := compactJSON(text)
	if err != nil {
		return nil, err
	}
	if compact[0] != '{' {
		return nil, corrupt("it is not a JSON object")
	}
	return membersOf(compact), nil
}

func lineOf(text []byte, err error) int {
	at := len(text)
	var wrong *json.SyntaxError
	if errors.As(err, &wrong) {
		at = min(at, max(int(wrong.Offset)-1, 0)) // it counts what it has read
	}
	return 1 + bytes.Count(text[:at], []byte("\n"))
}

// compactJSON writes JSON that is known to be valid in the form of an object's values.
func compactJSON(text []byte) (string, error) {
	compact := make([]byte, 0, len(text))
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			end := i + endOfString(text[i:])
			if hasHalfPair(text[i:end]) {
				return "", corrupt("it holds half a surrogate pair near line %d", 1+bytes.Count(text[:i], []byte("\n")))
			}
			compact = appendString(compact, unquote(string(text[i:end])))
			i = end - 1
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				return "", corrupt("it nests more than %d deep", maxDepth)
			}
		case '}', ']':
			depth--
		}
		compact = append(compact, text[i])
	}
	return string(compact), nil
}

// membersOf cuts a compact object.
func membersOf(compact string) (o object) {
	rest := compact[1:]
	for rest != "}" {
		quoted := endOfString(rest)
		name := unquote(rest[:quoted])
		rest = rest[quoted+1:]
		end := endOfValue(rest)
		o = append(o, pair{name, rest[:end]})
		rest = strings.TrimPrefix(rest[end:], ",")
	}
	return o
}

// endOfValue says how many bytes the value of a member takes.
func endOfValue(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += endOfString(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// once returns the object with each name once, the last value at the first place, and
// which of the known names was there twice, for that is no slip to pass over.
func (o object) once(known ...string) (_ object, twice string) {
	places := make(map[string]int, len(o))
	var unique object
	for _, m := range o {
		place, seen := places[m.name]
		switch {
		case !seen:
			places[m.name] = len(unique)
			unique = append(unique, m)
		case slices.Contains(known, m.name):
			return nil, m.name
		default:
			unique[place].value = m.value
		}
	}
	return unique, ""
}
