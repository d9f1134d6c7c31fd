package torture

import (
	"fmt"
	"strings"
)

// shape is a way of changing something that can be stopped at any instant.
type shape struct {
	name string
	// before makes the project that it starts from.
	before []string
	// through is what the first step does on the way, if that is a state of its own.
	through []string
	// steps are the command that is stopped, or one after the other.
	steps []string
	// next is the writing command that comes after, whatever was stopped; it finds
	// what is to be mended by itself.
	next string
	// then is what comes after that one, to show that sp knows what it wrote.
	then []string
	// contained has a project whose tenants share a container of its own.
	contained bool
	// foreign is what somebody else put at tenants.json before the first step.
	foreign string
	// spoil does to the project what commands refuse to work with, until the first
	// step has mended it.
	spoil func(tree)
	// keeps tells that the registry's file as it was is never lost: it stays where it
	// was, or as an automatic copy, byte for byte.
	keeps bool
	// piecemeal tells that the command makes several changes, each of its own: stopped
	// on the way, it leaves those that it had made, and says which.
	piecemeal bool
	// copies are files that follow the registry beside tenants.json, or are made of it.
	copies []string
	// small tells that the small size has it: one of each shape of write. member tells
	// that the small size kills it at a few calls only, on both sides of its COMMIT: one for
	// each file that follows, and each way of changing it.
	small, member bool
	// looks are the directories in which it replaces a file and then looks at what came out,
	// and which sync of each is in between: there it is killed.
	looks map[string]int
}

// stride is which share of the points the small size takes: with the files that follow,
// a change has twice as many as it had. Those that make a registry have some hundred,
// nearly all of them in the migrations of a file that has no name yet.
func (s shape) stride(usual int) int {
	switch {
	case *size == "long":
		return 1
	case len(s.before) == 0:
		return 4 * usual
	}
	return 2 * usual
}

// killed returns which share of the points the small size kills it at, before its COMMIT
// and behind it, where the files change.
func (s shape) killed() (stride, behind int) {
	switch {
	case *size == "long":
		return 1, 1
	case s.member && len(s.looks) == 0:
		return 16, 2
	case s.member:
		return 16, 1
	case len(s.before) == 0:
		return 4, 1
	}
	return 3, 1
}

// betweenLooks are the calls between an exchange of files and the look at what came out.
func (s shape) betweenLooks() (found []point) {
	for dir, rank := range s.looks {
		found = append(found, point{"fsync", "./.systemprompt" + dir, rank})
	}
	return found
}

// later are the commands that come after what was stopped.
func (s shape) later() []string { return append([]string{s.next}, s.then...) }

// canary is in every secret of the projects here.
const canary = "CANARY4711"

// inputs are the files that the commands of the shapes read.
func inputs() map[string]string {
	record := func(id, more string) string {
		return fmt.Sprintf(`{"id":"%s","name":"%s","database_url":"postgres://u:%s@h/%s"%s}`, id, id, canary, id, more)
	}
	file := func(records ...string) string {
		return `{"synced_at":"2026-02-01T10:00:00Z","tenants":[` + strings.Join(records, ",") + `]}`
	}
	cloud := `,"tenant_type":"cloud","internal_database_url":"postgres://u:` + canary + `@i/x","sync_token":"` + canary + `"`
	return map[string]string{
		"contained.json": file(record("a", ""), record("b", cloud), record("e", `,"shared_container_db":"e"`)),
		"url.txt":        "postgres://u:" + canary + "@h/d",
		"one.json":       file(record("a", ""), record("b", cloud), record("c", "")),
		"two.json":       file(record("b", cloud), record("c", `,"region":"iad"`), record("d", "")),
		"key.txt":        canary,
	}
}

// A project as most are: three tenants, two profiles, a session, and the export that
// follows. secondProfile comes last, so that the tracked file is as old as it can be.
var (
	tracked = []string{
		"import one.json", "export", "profile create p --tenant a", "profile create q --tenant b", "session switch p",
	}
	untracked = []string{"import one.json", "export --stop", "profile create p --tenant a", "profile create q --tenant b", "session switch p"}
	copied    = append(untracked[:5:5], "export --path out/copy.json", "tenant edit a --region fra")
	// One tenant with two profiles, whose secrets.json both show its URL.
	twoProfiles = append(tracked[:5:5], "profile create r --tenant a")
	behind      = append(tracked[:5:5], "tenant edit a --region fra --no-export")
	secured     = append(behind[:5:5], "backup out/backup", behind[5])
	withSecret  = append(tracked[:5:5], "secrets set api --profile q --file key.txt")
	withoutURL  = append(tracked[:5:5], "tenant edit a --clear database-url")
	inContainer = append([]string{"import contained.json"}, tracked[1:]...)
	withCompose = append(inContainer[:5:5], "profile create r --tenant e")
	backedUp    = append(tracked[:5:5], "backup out/backup", "tenant edit a --region fra")
)

// mend is a writing command that changes no tenant; the tracked file is mended all
// the same.
const mend = "profile create mend --tenant b"

// allGone ends the profiles, whose files go with them if sp knows that it wrote them.
var allGone = []string{"profile delete q -y", "profile delete p -y"}

// shapes are all commands that change something. Those of the small size write each
// in a way of its own.
func shapes() []shape {
	return []shape{
		{name: "first init", steps: []string{"init"}, next: "tenant create --id m --name m --database-url-file url.txt", piecemeal: true, small: true},
		{name: "create, exported", before: tracked, steps: []string{"tenant create --id n --name n --database-url-file url.txt"}, next: mend, small: true},
		{name: "import into nothing", through: []string{"init"}, steps: []string{"import one.json"}, next: "import one.json", small: true},
		{
			name: "copy", before: copied, steps: []string{"export --path out/copy.json"}, next: "export --path out/copy.json",
			copies: []string{"out/copy.json"}, small: true,
		},
		{name: "delete, exported", before: tracked, steps: []string{"tenant delete a -y"}, next: mend, small: true},
		{name: "profile create", before: tracked, steps: []string{"profile create r --tenant c"}, next: mend, small: true},
		{name: "session switch", before: tracked, steps: []string{"session switch q"}, next: mend, small: true, looks: map[string]int{"/sessions": 1}},
		{name: "edit of a URL", before: twoProfiles, steps: []string{"tenant edit a --database-url-file url.txt"}, next: mend, member: true, looks: map[string]int{"": 3, "/profiles/p": 1, "/profiles/r": 1}},
		{name: "profile rename", before: tracked, spoil: shared, steps: []string{"profile edit q --name z"}, next: mend, small: true},
		{name: "profile delete", before: tracked, steps: []string{"profile delete q -y"}, next: mend, member: true},
		{
			name: "backup", before: backedUp[:5:5], steps: []string{"backup out/backup --json"}, next: "backup out/next --force",
			copies: []string{"out/backup", "out/next"}, small: true,
		},
		{
			name: "restore over remains", before: secured, spoil: shredded, steps: []string{"restore out/backup -y --json"},
			next: "restore out/backup -y", keeps: true, small: true,
		},
		{name: "doctor --fix", before: behind, spoil: neglected, steps: []string{"doctor --fix"}, next: "doctor --fix", piecemeal: true, small: true},

		{name: "create into nothing", through: []string{"init"}, steps: []string{"tenant create --id n --name n --database-url-file url.txt"}, next: "tenant create --id m --name m --database-url-file url.txt"},
		{name: "edit, exported", before: tracked, steps: []string{"tenant edit a --region fra"}, next: mend, member: true},
		{name: "edit of a secret", before: tracked, steps: []string{"tenant edit a --database-url-file url.txt"}, next: mend},
		{name: "edit, not exported", before: tracked, steps: []string{"tenant edit a --region fra --no-export"}, next: "export"},
		{name: "select", before: tracked, steps: []string{"tenant select c"}, next: mend},
		{name: "profile relink", before: tracked, spoil: shared, steps: []string{"profile edit q --tenant c"}, next: mend, member: true},
		{name: "profile default", before: tracked, steps: []string{"profile default q"}, next: mend},
		{name: "secret of a profile", before: tracked, steps: []string{"secrets set api --profile q --file key.txt"}, next: mend, member: true, looks: map[string]int{"/profiles/q": 1}},
		{name: "secret taken away", before: append(tracked[:5:5], "secrets set api --profile q --file key.txt"), steps: []string{"secrets unset api --profile q"}, next: mend, member: true},
		{name: "login", before: tracked, steps: []string{"session login --profile q --token-file key.txt --email u@example.com"}, next: mend, member: true},
		{name: "profile delete, with what others wrote", before: tracked, spoil: shared, steps: []string{"profile delete q -y"}, next: mend},
		{name: "logout", before: tracked, steps: []string{"session logout"}, next: mend, member: true},
		{name: "merge, exported", before: tracked, steps: []string{"import two.json"}, next: mend},
		{name: "prune, exported", before: tracked, steps: []string{"import two.json --prune -y"}, next: mend},
		{name: "rotation of a token", before: tracked, steps: []string{"tenant rotate-sync-token a -y"}, next: mend, member: true},
		{name: "undo of a deletion", before: append(tracked[:5:5], "tenant delete a -y"), steps: []string{"undo"}, next: mend},
		{name: "log purge", before: append(tracked[:5:5], "tenant delete a -y"), steps: []string{"log purge -y"}, next: mend},
		{
			name: "restore", before: backedUp, steps: []string{"restore out/backup -y --json"},
			next: mend,
		},
		{
			name: "restore over damage", before: secured, spoil: damaged, steps: []string{"restore out/backup -y --json"},
			next: "restore out/backup -y", keeps: true,
		},
		{
			name: "backup over another", before: backedUp, steps: []string{"backup out/backup --force --json"}, next: "backup out/next --force",
			copies: []string{"out/backup", "out/next"},
		},
		{name: "first export", before: untracked, steps: []string{"export"}, next: mend},
		{name: "export stopped", before: tracked, steps: []string{"export --stop"}, next: mend, piecemeal: true, small: true},
		{name: "export that was behind", before: behind, steps: []string{"export"}, next: mend},
		{name: "forced export", before: tracked, foreign: `{"tenants":[],"synced_at":"2026-02-01T10:00:00Z"}`, steps: []string{"export --force"}, next: mend},
		{name: "import of the tracked file", before: tracked, foreign: inputs()["two.json"], steps: []string{"import"}, next: mend},
		{
			name: "first copy", before: untracked, steps: []string{"export --path out/copy.json"}, next: "export --path out/copy.json",
			copies: []string{"out/copy.json"}, member: true,
		},

		// Each is taken back by what comes next, or was before it was stopped; then all goes.
		{name: "create, taken back", before: tracked, steps: []string{"tenant create --id n --name n --database-url-file url.txt"}, next: "undo", member: true},
		{name: "another secret", before: withSecret, steps: []string{"secrets set api --profile q --file url.txt"}, next: mend, member: true},
		{name: "new secret, taken back", before: tracked, steps: []string{"secrets set api --profile q --file key.txt"}, next: "undo", then: allGone, member: true},
		{name: "another secret, taken back", before: withSecret, steps: []string{"secrets set api --profile q --file url.txt"}, next: "undo", then: allGone},
		{name: "secret taken away, taken back", before: withSecret, steps: []string{"secrets unset api --profile q"}, next: "undo", then: allGone},
		{name: "new URL", before: withoutURL, steps: []string{"tenant edit a --database-url-file url.txt"}, next: mend},
		{name: "new URL, taken back", before: withoutURL, steps: []string{"tenant edit a --database-url-file url.txt"}, next: "undo", then: allGone},
		{name: "setting of a profile", before: tracked, steps: []string{"profile edit q --set site.x=1"}, next: mend, member: true},
		{name: "relink, taken back", before: tracked, steps: []string{"profile edit q --tenant c"}, next: "undo", then: allGone, member: true},
		{name: "profile create, taken back", before: tracked, steps: []string{"profile create r --tenant c"}, next: "undo"},
		{name: "profile delete, taken back", before: tracked, steps: []string{"profile delete q -y"}, next: "undo", then: allGone},
		{name: "rename, taken back", before: tracked, steps: []string{"profile edit q --name z"}, next: "undo", then: allGone},
		{name: "switch, taken back", before: tracked, steps: []string{"session switch q"}, next: "undo", member: true},
		{name: "compose", before: inContainer, contained: true, steps: []string{"profile create r --tenant e"}, next: mend, member: true},
		{name: "compose, renamed", before: withCompose, contained: true, steps: []string{"profile edit r --name z"}, next: mend, member: true},
		{name: "compose, deleted", before: withCompose, contained: true, steps: []string{"profile delete r -y"}, next: mend, member: true},
		{name: "compose, taken back", before: inContainer, contained: true, steps: []string{"profile create r --tenant e"}, next: "undo", member: true},
		{
			name: "copy, taken back", before: copied, steps: []string{"export --path out/copy.json"}, next: "undo",
			then: []string{"export --path out/copy.json"}, copies: []string{"out/copy.json"}, member: true,
		},
		{
			name: "first copy, then something else", before: untracked, steps: []string{"export --path out/copy.json"}, next: mend,
			then: []string{"export --path out/copy.json"}, copies: []string{"out/copy.json"}, member: true,
		},
		{
			name: "copy, then something else", before: copied, steps: []string{"export --path out/copy.json"}, next: mend,
			then: []string{"export --path out/copy.json"}, copies: []string{"out/copy.json"}, member: true,
		},
		{
			name: "backup, then something else", before: backedUp[:5:5], steps: []string{"backup out/backup --json"}, next: mend,
			copies: []string{"out/backup"}, member: true,
		},
		{name: "set aside", before: tracked, foreign: "{", steps: []string{"import --set-aside"}, next: mend, member: true},

		{name: "create and delete", before: tracked, steps: []string{"tenant create --id n --name n --database-url-file url.txt", "tenant delete a -y"}, next: mend},
		{name: "two creates", before: tracked, steps: []string{"tenant create --id n --name n --database-url-file url.txt", "tenant create --id m --name m --database-url-file url.txt"}, next: mend},
		{name: "init and import", steps: []string{"init", "import one.json"}, next: "import one.json"},
		{name: "import and first export", through: []string{"init"}, steps: []string{"import one.json --no-export", "export"}, next: "import one.json"},
		{name: "switch and edit", before: tracked, steps: []string{"session switch q", "tenant edit b --region fra"}, next: mend},
		{
			name: "edit and copy", before: copied, steps: []string{"tenant edit a --region iad", "export --path out/copy.json"}, next: "export --path out/copy.json",
			copies: []string{"out/copy.json"},
		},
	}
}

// shapesOf are those of this size.
func shapesOf(size string) []shape {
	var chosen []shape
	for _, s := range shapes() {
		if s.small || size == "long" {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// killedShapes are those of this size that are killed at their calls.
func killedShapes(size string) []shape {
	var chosen []shape
	for _, s := range shapes() {
		if s.small || s.member || size == "long" {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// shapeNamed is for those who need a certain one.
func shapeNamed(name string) shape {
	for _, s := range shapes() {
		if s.name == name {
			return s
		}
	}
	panic("no shape " + name)
}
