package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostiles are texts that do something to a terminal, a table or a reader. All of
// them are UTF-8, as an imported file has to be.
var hostiles = map[string]string{
	"sequences": "\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\x1bPq#0\x1b\\\x1bc",
	"controls":  "\x00\x01\a\b\b\b\v\f\r\x0e\x0f\x18\x1a\x7f\u0080\u0085\u008d\u0090\u009b31m\u009c\u009d0;t\u009c",
	"lines":     "x\nsp: forged\r\nforged\tlocal\tforged\r\u2028sp: forged\u2029forged\ttab\u0085forged",
	"bidi":      "user\u202e\u2066txet\u2069\u202c\u200e\u200f\u061c\u2067\u2068\u202a\u202b\u202d",
	"invisible": "a\u200bb\u200c\u200d\u2060\u2064\ufeff\u00ad\u034f\u115f\u1160\u17b4\u180e\u3164\uffa0\ufe0f\ufff9\ufffb\U000e0041\U000e007f\U000e0100z",
	"floods":    "z" + strings.Repeat("\u0301\u0489\u20dd", 20) + "a" + strings.Repeat("\u0335", 40),
	"spaces":    "a\u00a0\u2000\u2003\u3000b",
}

// forged tells whether a line or a column is there that only a name could have made.
func forged(o outcome) bool {
	for line := range strings.Lines(o.stdout + "\n" + o.stderr) {
		if strings.HasPrefix(line, "sp: forged") || slices.Contains(strings.Split(strings.TrimSpace(line), "\t"), "forged") {
			return true
		}
	}
	return checkNotes(o.stderr) != nil
}

// hostileDocument is caged with a text in every id, name and other text.
func hostileDocument(t *testing.T, hostile string) string {
	t.Helper()
	quoted, err := json.Marshal(hostile)
	require.NoError(t, err)
	text := string(quoted[1 : len(quoted)-1])
	document := caged
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		plain := `"id": "` + id + `", "name": "` + id + `"`
		require.Contains(t, document, plain)
		document = strings.Replace(document, plain, `"id": "`+id+text+`", "name": "`+id+text+`", "app_id": "`+text+`", "hostname": "`+text+
			`", "region": "`+text+`", "shared_container_db": "`+text+`", "`+text+`": 1`, 1)
	}
	return document
}

// hostileSandbox is a sandbox in a directory that is called so.
func hostileSandbox(t *testing.T, hostile string) *sandbox {
	t.Helper()
	s := newSandbox(t)
	name := strings.ReplaceAll(strings.ReplaceAll(hostile, "/", ""), "\x00", "")
	s.dir = filepath.Join(s.dir, name[:min(len(name), 200)]+"\x9b")
	require.NoError(t, os.Mkdir(s.dir, 0o700))
	return s
}
