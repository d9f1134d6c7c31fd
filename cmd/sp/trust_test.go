package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// stranger is what must neither be printed nor connected to.
const stranger = "stranger.example"

// world of a trust test: two users' projects side by side, and who runs sp.
type travel struct {
	t         *testing.T
	dir, home string
	git       string
	umask     int
}

func newTravel(t *testing.T) *travel {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("skipped: there is no git")
	}
	v := &travel{t: t, dir: t.TempDir(), git: git, umask: 0o022}
	v.home = filepath.Join(v.dir, "home")
	require.NoError(t, os.Mkdir(v.home, 0o700))
	return v
}

// sh runs a shell command in a directory of the travel; sp is this program, as its user has it.
func (v *travel) sh(in, command string, env ...string) (out string, exit int) {
	v.t.Helper()
	cmd := exec.CommandContext(v.t.Context(), "sh", "-c", fmt.Sprintf("umask %04o; %s", v.umask, command))
	cmd.Dir = filepath.Join(v.dir, in)
	cmd.Env = append(harness.Environment(v.home, "SP_OFFLINE=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	), env...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		require.NotNil(v.t, cmd.ProcessState, "%s: %v", command, err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func (v *travel) must(in, command string, env ...string) string {
	v.t.Helper()
	out, exit := v.sh(in, command, env...)
	require.Zero(v.t, exit, "%s: %s", command, out)
	return out
}

const alone = "HOME=/nonexistent" // nobody's receipts are there

// payloads are what a stranger puts into .systemprompt of a repository or an archive, named by the
// shell commands that make it there.
var payloads = map[string]struct {
	make string
	own  bool // it comes to a project that has a registry of its own
}{
	"sp.db":              {make: "cp -r ../stranger/.systemprompt .systemprompt && rm -f .systemprompt/.place .systemprompt/.lock"},
	"sp.db and .place":   {make: "cp -r ../stranger/.systemprompt .systemprompt"},
	"sp.db with servers": {make: `cp -r ../stranger/.systemprompt .systemprompt && sqlite3 .systemprompt/sp.db "INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('stranger.example:5432', 'server', 'postgres://su:su@stranger.example/postgres', 1)"`},
	"journal":            {make: "mkdir -p .systemprompt && cp ../stranger/hot .systemprompt/sp.db-journal", own: true},
	"wal":                {make: "mkdir -p .systemprompt && cp ../stranger/hot .systemprompt/sp.db-wal", own: true},
	"sp.db alone":        {make: "mkdir -p .systemprompt && cp ../stranger/.systemprompt/sp.db .systemprompt/sp.db", own: true},
	"tenants.json":       {make: "mkdir -p .systemprompt && cp ../stranger/.systemprompt/tenants.json .systemprompt/tenants.json"},
	"login":              {make: strangersLogin},
	"link":               {make: "ln -s ../mine/.systemprompt .systemprompt"},
	"shared.yaml":        {make: "mkdir -p .systemprompt/docker && printf 'services: {postgres: {image: stranger.example/x, privileged: true}}' > .systemprompt/docker/shared.yaml"},
	"shared.env":         {make: "mkdir -p .systemprompt/docker && printf 'POSTGRES_PASSWORD=known\nPOSTGRES_HOST_AUTH_METHOD=trust\n' > .systemprompt/docker/shared.env"},
}

const strangersLogin = `mkdir -p .systemprompt && printf '{"api_token": "x", "api_url": "https://stranger.example", "authenticated_at": "2026-02-01T10:00:00Z", "user_email": "a@stranger.example"}' > .systemprompt/credentials.json && chmod 600 .systemprompt/credentials.json`

// arrivals are how the stranger's directory gets to this user, and under which umask.
var arrivals = map[string]struct {
	umask int
	come  string
}{
	"clone, umask 022": {0o022, "git -C stranger-repo add -A -f && git -C stranger-repo commit -qm x && git clone -q stranger-repo here"},
	"clone, umask 027": {0o027, "git -C stranger-repo add -A -f && git -C stranger-repo commit -qm x && git clone -q stranger-repo here"},
	"clone, umask 077": {0o077, "git -C stranger-repo add -A -f && git -C stranger-repo commit -qm x && git clone -q stranger-repo here"},
	"pull":             {0o077, "git clone -q stranger-repo here && %s git -C stranger-repo add -A -f && git -C stranger-repo commit -qm x && git -C here pull -q"},
	"tar":              {0o077, "%s tar -C stranger-repo --exclude .git -cf x.tar . && mkdir -p here && tar -C here -xf x.tar"},
	"cp -a":            {0o077, "%s mkdir -p here && cp -a stranger-repo/. here"},
}

// TestNothingThatArrivedIsUsed is the table of arrivals and payloads: after each, whatever a
// user does first, nothing of the stranger's is printed, connected to or executed, and what was
// refused stays as it was.
func TestNothingThatArrivedIsUsed(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("skipped: there is no sqlite3")
	}
	for how, arrival := range arrivals {
		for what, payload := range payloads {
			t.Run(how+"/"+what, func(t *testing.T) {
				t.Parallel()
				v := newTravel(t)
				v.umask = arrival.umask
				v.strangers()
				v.must("stranger-repo", payload.make, alone)
				own := "mkdir -p here && (cd here && sp init && sp tenant create --id mine --name mine --database-url postgres://u:p@mine.example/d --no-check) >/dev/null 2>&1;"
				come := arrival.come
				if !payload.own {
					own = ""
				}
				if strings.Contains(come, "%s") {
					come = fmt.Sprintf(come, own)
				} else if own != "" {
					return // a clone comes to no project that is there
				}
				v.must(".", come)
				v.mustRefuse(payload.own)
			})
		}
	}
}

// strangers makes the stranger's project, of a user with another home, and an empty repository.
func (v *travel) strangers() {
	v.t.Helper()
	v.must(".", `mkdir stranger stranger-repo mine && cd stranger && sp init && sp tenant create --id theirs --name mine --database-url postgres://u:p@stranger.example/d --no-check &&
		sp tenant select theirs && sp profile create p -y && sp profile default p && sp export &&
		chmod -R go-rwx .systemprompt && cd ../mine && sp init && sp tenant create --id own --name own --database-url postgres://u:p@own.example/d --no-check &&
		cd ../stranger-repo && git init -q . && echo x > README && git add README && git commit -qm first`, alone)
	database, err := os.ReadFile(filepath.Join(v.dir, "stranger/.systemprompt/sp.db"))
	require.NoError(v.t, err)
	require.NoError(v.t, os.WriteFile(filepath.Join(v.dir, "stranger/hot"), journalOf(database), 0o600))
}

// journalOf is a rollback journal that puts this database in the place of any other, as
// https://www.sqlite.org/fileformat.html has it, section 3.
func journalOf(database []byte) []byte {
	const page, sector, nonce = 4096, 512, 7
	pages := uint32(len(database) / page)
	header := make([]byte, sector)
	copy(header, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
	for i, field := range []uint32{pages, nonce, pages, sector, page} {
		binary.BigEndian.PutUint32(header[8+4*i:], field)
	}
	journal := header
	for number := range pages {
		content := database[number*page : (number+1)*page]
		sum := uint32(nonce)
		for at := page - 200; at > 0; at -= 200 {
			sum += uint32(content[at])
		}
		journal = binary.BigEndian.AppendUint32(journal, number+1)
		journal = append(journal, content...)
		journal = binary.BigEndian.AppendUint32(journal, sum)
	}
	return journal
}

// The journal of the table is a live one: SQLite alone plays it back.
func TestSQLiteAlonePlaysTheStrangersJournalBack(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.strangers()
	v.must(".", "cp stranger/hot mine/.systemprompt/sp.db-journal")
	conn := harness.OpenSQLite(t, filepath.Join(v.dir, "mine/.systemprompt/sp.db"))
	var id string
	require.NoError(t, conn.QueryRow("SELECT id FROM tenants").Scan(&id))
	require.NoError(t, conn.Close())
	require.Equal(t, "theirs", id)
}

// mustRefuse does what a user does first where something arrived, with his own home.
func (v *travel) mustRefuse(own bool) {
	v.t.Helper()
	before := v.must("here", "find .systemprompt -type f -not -name .gitignore -not -name .lock | sort | xargs -r stat -c '%a %n'; find .systemprompt/ -name 'sp.db*' | sort | xargs -r sha256sum")
	for _, command := range []string{
		"sp resolve", "sp resolve --tenant mine", "sp explain", "sp status", "sp doctor", "sp doctor --fix", "sp tenant list", "sp export", "sp tenant edit mine --region iad",
		"sp tenant create --type local --name new", "sp psql mine -- -c 'select 1'", "sp tenant check --all", "sp db up", "sp log", "sp backup ../b", "sp undo",
		"sp profile create q -y", "sp db use", "sp whoami", "sp cloud status", "CI=true sp resolve", "sp --dir .systemprompt resolve", "SP_DIR=.systemprompt sp resolve",
	} {
		out, exit := v.sh("here", command)
		require.NotContains(v.t, out, stranger, command)
		require.NotEqual(v.t, 1, exit, "%s: %s", command, out)
		if strings.Contains(command, "resolve") && exit == 0 {
			require.Equal(v.t, "postgres://u:p@mine.example/d\n", out, command)
			require.True(v.t, own, command)
		}
	}
	after := v.must("here", "find .systemprompt -type f -not -name .gitignore -not -name .lock | sort | xargs -r stat -c '%a %n'; find .systemprompt/ -name 'sp.db*' | sort | xargs -r sha256sum")
	if strings.Contains(before, "sp.db") {
		require.Equal(v.t, before, after, "what is not trusted stays as it is")
	}
}

// TestATrustedRegistryStaysTrusted is the table of what a user does with his own project: he is asked
// about none of it where his home is, and a person who moved a laptop needs one command.
func TestAUsersOwnProjectStaysUsable(t *testing.T) {
	t.Parallel()
	for what, act := range map[string]struct{ do, at string }{
		"nothing":                  {"true", "mine"},
		"a rename":                 {"mv mine moved", "moved"},
		"cp -a":                    {"cp -a mine copy", "copy"},
		"cp -r":                    {"cp -r mine copy && chmod -R go-rwx copy/.systemprompt", "copy"},
		"tar":                      {"tar -cf x.tar mine && rm -r mine && tar -xf x.tar", "mine"},
		"a move to another disk":   {"cp -a mine moved && rm -r mine", "moved"},
		"vacuum":                   {"sqlite3 mine/.systemprompt/sp.db VACUUM", "mine"},
		"chmod":                    {"chmod 400 mine/.systemprompt/sp.db", "mine"},
		"git stash and clean":      {"cd mine && git init -q . && git add -A && git commit -qm x && echo y > z && git stash -qu && git clean -qfd", "mine"},
		"a write of sqlite3's own": {"sqlite3 mine/.systemprompt/sp.db \"UPDATE tenants SET region = 'x'\"", "mine"},
		"another journal mode":     {"sqlite3 mine/.systemprompt/sp.db 'PRAGMA journal_mode = WAL' >/dev/null", "mine"},
		"a restore of a backup":    {"cd mine && sp backup ../b && sp restore -y ../b", "mine"},
		"a restore after a loss":   {"cd mine && sp backup ../b && rm -r .systemprompt && sp restore -y ../b", "mine"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			v := newTravel(t)
			if strings.Contains(act.do, "sqlite3") {
				if _, err := exec.LookPath("sqlite3"); err != nil {
					t.Skip("skipped: there is no sqlite3")
				}
			}
			v.mine()
			v.must(".", act.do)
			require.Equal(t, "postgres://u:p@mine.example/d\n", v.must(act.at, "sp resolve"), "before a change")
			if what != "chmod" {
				v.must(act.at, "sp tenant edit mine --region iad")
			}
			require.Equal(t, "postgres://u:p@mine.example/d\n", v.must(act.at, "sp resolve", alone), "its place is recorded")
		})
	}
}

func (v *travel) mine() {
	v.t.Helper()
	v.must(".", `mkdir mine && cd mine && sp init && sp tenant create --id mine --name mine --database-url postgres://u:p@mine.example/d --no-check &&
		sp tenant select mine && sp profile create p -y && sp profile default p && sp export`)
}

// A laptop that was replaced has another home: nothing shows there that the project is its user's.
func TestANewLaptopNeedsOneCommand(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	v.must(".", "cp -a mine moved && rm -r mine && rm -rf home/.local")
	for _, command := range []string{"sp resolve", "sp tenant edit mine --region iad", "sp init", "sp import", "sp export", "sp log", "sp db status"} {
		out, exit := v.sh("moved", command)
		require.Equal(t, 6, exit, "%s: %s", command, out)
		require.Contains(t, out, "not trusted", command)
		require.Contains(t, out, "hint: sp trust", command)
	}
	out := v.must("moved", "sp status; ! sp doctor")
	require.Contains(t, out, "not trusted")
	require.NotContains(t, out, "mine.example")
	out, exit := v.sh("moved", "sp trust </dev/null")
	require.Equal(t, 2, exit, out)
	require.Contains(t, out, "it stands in "+filepath.Join(v.dir, "moved", ".systemprompt")+" since 20")
	require.Contains(t, out, "mine.example", "where it leads is shown before it is asked")
	require.NotContains(t, out, ":p@")

	v.must("moved", "sp trust --moved -y")
	require.Equal(t, "postgres://u:p@mine.example/d\n", v.must("moved", "sp resolve"))
	v.must("moved", "sp tenant edit mine --region iad && sp export --check && sp doctor")
	require.Contains(t, v.must("moved", "sp trust"), "is trusted already")
}

// SP_TRUST is for jobs and images that have no home. Nothing else is: not CI, --dir or a file of
// the project.
func TestTheEnvironmentCanVouchForARegistry(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	v.must(".", "cp -a mine job && rm -rf home/.local")
	for _, env := range []string{"SP_TRUST=" + v.dir, "SP_TRUST=" + filepath.Join(v.dir, "mine"), "CI=true", "SP_DIR=.systemprompt", "SP_TRUST="} {
		out, exit := v.sh("job", "sp resolve", env)
		require.Equal(t, 6, exit, "%s: %s", env, out)
	}
	out, exit := v.sh("job", "sp resolve", "SP_TRUST=job")
	require.Equal(t, 2, exit, out)
	for _, env := range []string{"SP_TRUST=/x:" + filepath.Join(v.dir, "job"), "SP_TRUST=" + filepath.Join(v.dir, "job", ".systemprompt")} {
		require.Equal(t, "postgres://u:p@mine.example/d\n", v.must("job", "sp resolve", env, alone), env)
	}
	v.must("job", "sp tenant edit mine --region iad", "SP_TRUST="+filepath.Join(v.dir, "job"), alone)
	require.Equal(t, "postgres://u:p@mine.example/d\n", v.must("job", "sp resolve", alone), "the change recorded its place")
}

// A registry of an sp that recorded no place is untrusted once.
func TestARegistryOfAnOlderSpIsTrustedByOneCommand(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	harness.Mess(t, filepath.Join(v.dir, "mine/.systemprompt/sp.db"), "UPDATE registry_meta SET registry_id = ''")
	v.must("mine", "rm .systemprompt/.place .systemprompt/sp.db-journal; rm -rf ../home/.local")
	out, exit := v.sh("mine", "sp resolve")
	require.Equal(t, 6, exit, out)
	require.Contains(t, out, "or an older sp made it")
	require.Contains(t, out, "without a terminal: sp trust --moved -y for your own project", "-y alone makes it a copy, whose databases are another's")
	v.must("mine", "sp trust --moved -y")
	require.Equal(t, "postgres://u:p@mine.example/d\n", v.must("mine", "sp resolve", alone))
	require.FileExists(t, filepath.Join(v.dir, "mine/.systemprompt/.place"))
	require.Contains(t, v.must("mine", "sp log --limit 1"), "6\t", "its history goes on where it was")
}

// Of a copy, the databases are the original's; both go on by themselves.
func TestACopyBecomesARegistryOfItsOwn(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	v.must(".", "cp -a mine copy")
	out := v.must("copy", "sp tenant edit mine --region iad")
	require.Contains(t, out, "is a copy of "+filepath.Join(v.dir, "mine", ".systemprompt"))
	require.NotContains(t, v.must("copy", "sp tenant edit mine --region lhr"), "copy of", "said once")
	require.NotEqual(t, v.id("mine"), v.id("copy"))
	require.NotContains(t, v.must("mine", "sp tenant edit mine --region ord"), "copy of")
	require.NotContains(t, v.must("copy", "sp log"), "trust", "no entry in the history")

	// Also where the original has moved since: its receipt says where to.
	v.must(".", "cp -a mine second && mv mine gone && cd gone && sp tenant edit mine --region fra")
	out = v.must("second", "sp tenant edit mine --region iad")
	require.Contains(t, out, "is a copy of "+filepath.Join(v.dir, "gone", ".systemprompt"))
	require.NotEqual(t, v.id("gone"), v.id("second"))
	require.NotContains(t, v.must(".", "mv gone mine && cd mine && sp tenant edit mine --region ord"), "copy of")
}

// What sp runs for the original is the original's until that is gone and somebody said so: also of a
// copy's copy, and of one that was brought elsewhere.
func TestTheServersOfACopyAreReleasedWhenTheOriginalIsGone(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("skipped: there is no sqlite3")
	}
	v := newTravel(t)
	v.mine()
	v.must("mine", `sqlite3 .systemprompt/sp.db "INSERT INTO servers (name, provider, admin_url, chosen, place, identity) VALUES ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0, 'aaaaaaaaaaaaaaaa', '1:1')"`)
	withheld := func(project string) string {
		return strings.TrimSpace(v.must(project, `sqlite3 .systemprompt/sp.db "SELECT withheld FROM servers"`))
	}
	mustRefuse := func(project, other, command string, env ...string) {
		t.Helper()
		out, exit := v.sh(project, command, env...)
		require.Equal(t, 4, exit, out)
		require.Contains(t, out, filepath.Join(v.dir, other, ".systemprompt")+" is still there")
		require.NotContains(t, out, "foreign")
	}
	v.must(".", "cp -a mine copy")
	require.Contains(t, v.must("copy", "sp db down", "SP_OFFLINE="), "it belongs to the project of which this one is a copy", "also before the first change")
	out, exit := v.sh("copy", "sp db up", "SP_OFFLINE=")
	require.Equal(t, 9, exit, out)
	require.Contains(t, out, "it belongs to the project of which this one is a copy")
	require.Empty(t, withheld("copy"), "nothing was changed")
	mustRefuse("copy", "mine", "sp trust --moved -y")
	require.Empty(t, withheld("copy"), "nothing was changed")
	require.Contains(t, v.must("copy", "sp trust --json"), `"copy": true`)
	v.must("copy", "sp tenant edit mine --region iad")
	require.Equal(t, "foreign", withheld("copy"))
	require.Contains(t, v.must("copy", "sp trust --json"), `"copy": true`)
	require.Contains(t, v.must("mine", "sp trust --json"), `"copy": false`)
	v.must(".", "cp -a copy second && mv mine gone")
	v.must("second", "sp tenant edit mine --region lhr")
	v.must("gone", "sp tenant edit mine --region ord") // records where it is
	mustRefuse("copy", "gone", "sp trust --moved")
	v.must("gone", "cd .. && mv gone mine && cd mine && sp tenant edit mine --region ams")
	mustRefuse("copy", "mine", "sp trust --moved")

	// Another home knows nothing of it; that this one moved is no word about the original.
	out = v.must("copy", "mv .systemprompt away && cp -a away .systemprompt && rm -r away && sp trust --moved -y", "HOME=/nonexistent")
	require.Contains(t, out, "trusted from now on")
	require.Equal(t, "foreign", withheld("copy"))

	v.must(".", "rm -r mine")
	require.Contains(t, v.must("copy", "sp trust --moved"), "sp db up starts it")
	require.Equal(t, "unnamed", withheld("copy"))
	require.Contains(t, v.must("copy", "sp trust --moved --json"), `"copy": false`)
	require.Contains(t, v.must("copy", "sp trust --moved"), "is trusted already")
	mustRefuse("second", "copy", "sp trust --moved")
	v.must(".", "rm -r copy")
	v.must("second", "mv .systemprompt away && cp -a away .systemprompt && rm -r away && sp trust --moved -y", "HOME=/nonexistent")
	require.Equal(t, "unnamed", withheld("second"), "one command is enough where all are gone")
}

// A restore keeps the databases that were made since the backup: in a copy in which nothing was changed
// yet, those are the original's.
func TestARestoreInACopyLeavesTheDatabasesToTheOriginal(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("skipped: there is no sqlite3")
	}
	v := newTravel(t)
	v.mine()
	v.must("mine", `sqlite3 .systemprompt/sp.db "INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('127.0.0.1:1', 'server', 'postgres://a:s3cret@127.0.0.1:1/postgres', 0); INSERT INTO databases VALUES ('mine', 'ready', '127.0.0.1:1', 'sp_mine', 'a', NULL)"`)
	v.must("mine", "sp backup ../backup.db && cd .. && cp -a mine copy && cd copy && sp restore ../backup.db -y")
	require.Equal(t, "0|unnamed\n", v.must("copy", `sqlite3 .systemprompt/sp.db "SELECT (SELECT COUNT(*) FROM databases), withheld FROM servers"`))
	v.must("mine", "sp restore ../backup.db -y")
	require.Equal(t, "1|\n", v.must("mine", `sqlite3 .systemprompt/sp.db "SELECT (SELECT COUNT(*) FROM databases), withheld FROM servers"`))
}

// A registry of which nothing can be read any more still vouches, by its place, for a backup of it.
func TestARestoreOverARegistryThatIsDamagedNeedsNoReceipt(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.must(".", "mkdir p && cd p && sp init && sp tenant create --name a --database-url postgres://u:p@h/d --no-check && sp backup ../backup.db && head -c 4096 /dev/urandom | dd of=.systemprompt/sp.db conv=notrunc status=none", alone)
	_, exit := v.sh("p", "sp tenant list", alone)
	require.Equal(t, 6, exit)
	require.NotContains(t, v.must("p", "sp restore ../backup.db -y", alone), "nothing on this machine")
	require.Contains(t, v.must("p", "sp tenant list", alone), "local")
	out, exit := v.sh("p", "cp -a .systemprompt/sp.db x && dd if=/dev/urandom of=x bs=4096 count=1 conv=notrunc status=none && mv x .systemprompt/sp.db && sp restore ../backup.db -y --moved", alone)
	require.Zero(t, exit, out)
	require.Contains(t, out, "nothing on this machine", "it is at another place")
}

// A backup vouches by its id for its own pages only, not for those that SQLite would write into it
// from what came to lie beside it.
func TestARestoreAsksAboutWhatAStrangerPutBesideABackup(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("skipped: there is no sqlite3")
	}
	for _, side := range []string{"-journal", "-wal"} {
		v := newTravel(t)
		v.mine()
		v.must("mine", `sp backup ../backup.db && cd .. && cp backup.db evil.db && sqlite3 evil.db "UPDATE tenants SET database_url = 'postgres://u:p@stranger.example/d'"`)
		if side == "-wal" {
			v.must(".", `cp backup.db w.db && sqlite3 w.db ".dbconfig no_ckpt_on_close on" "PRAGMA journal_mode = WAL; UPDATE tenants SET database_url = 'postgres://u:p@stranger.example/d'" && cp w.db-wal backup.db-wal`)
		} else {
			evil, err := os.ReadFile(filepath.Join(v.dir, "evil.db"))
			require.NoError(t, err)
			whole, err := os.ReadFile(filepath.Join(v.dir, "backup.db"))
			require.NoError(t, err)
			journal := journalOf(evil)
			const sector, record = 512, 4096 + 8
			theirs := journal[:sector]
			for at := 0; at < len(evil); at += 4096 { // as who does not know the id makes it
				if !bytes.Equal(evil[at:at+4096], whole[at:at+4096]) && !bytes.Contains(evil[at:at+4096], []byte(v.id("mine"))) {
					theirs = append(theirs, journal[sector+at/4096*record:][:record]...)
				}
			}
			binary.BigEndian.PutUint32(theirs[8:], uint32((len(theirs)-sector)/record))
			require.NoError(t, os.WriteFile(filepath.Join(v.dir, "backup.db-journal"), theirs, 0o600))
		}
		require.Contains(t, v.must("mine", "sp restore ../backup.db -y"), "stranger.example", "%s: it is shown before it is taken", side)
		v.must("mine", "rm ../backup.db-*")
		require.NotContains(t, v.must("mine", "sp restore ../backup.db -y"), "nothing on this machine", side)
	}
}

// The original's database stays where somebody deletes its tenant in the copy, be that the first
// change there or not: no server is asked to drop it.
func TestDeletingATenantInACopyKeepsTheOriginalsDatabase(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	harness.Mess(t, filepath.Join(v.dir, "mine/.systemprompt/sp.db"),
		"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('127.0.0.1:1', 'server', 'postgres://admin:s3cret@127.0.0.1:1/postgres', 1);"+
			"INSERT INTO databases VALUES ('mine', 'ready', '127.0.0.1:1', 'sp_mine', 'a', NULL)")
	v.must(".", "cp -a mine first && cp -a mine later")
	out, exit := v.sh("mine", "sp tenant delete mine -y")
	require.Equal(t, 9, exit, "the original's has to be dropped: %s", out)

	v.must("later", "sp tenant edit mine --region iad")
	for _, in := range []string{"first", "later"} {
		require.NotContains(t, v.must(in, "sp db status"), "sp_mine", in)
		v.must(in, "sp tenant delete mine -y && sp doctor")
	}
}

// A copy that nothing shows to be one, as where the original can't be seen, is one when its user says so.
func TestATrustedRegistryIsACopyWhenItsUserSaysSo(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	v.serve("mine")
	v.must(".", "cp -a mine copy && mv mine elsewhere")
	out, exit := v.sh("copy", "sp trust --copy </dev/null")
	require.Equal(t, 2, exit, out)
	v.must("copy", "sp trust --copy -y && sp trust --copy -y")
	require.NotContains(t, v.must("copy", "sp db status"), "sp_mine")
	v.must("copy", "sp tenant delete mine -y && sp doctor")
}

// A project that was moved in the middle of a change, as after a crash, has its journal along: of
// that change nothing stays.
func TestTrustRollsBackTheChangeThatWasInterrupted(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	v.must("mine", `seq 300 | sed 's/.*/{"id": "t&", "name": "t&", "region": "old"}/' | paste -sd, | sed 's/^/{"tenants":[/; s/$/],"synced_at":"2026-02-01T10:00:00Z"}/' >in.json && sp import in.json`)
	require.NoError(t, harness.Interrupt(filepath.Join(v.dir, "mine/.systemprompt/sp.db"), "UPDATE tenants SET region = 'new' WHERE id LIKE 't1%'"))
	v.must(".", "cp -a mine moved && cp -a mine strange")
	v.must(".", "rm -r mine home/.local")
	require.Positive(t, mustStat(t, filepath.Join(v.dir, "moved/.systemprompt/sp.db-journal")).Size())
	v.must("moved", "sp trust --moved -y")
	require.NotContains(t, v.must("moved", "sp tenant list"), "new")

	// One of another registry is not played back here either.
	v.strangers()
	v.must("strange", "cp ../stranger/hot .systemprompt/sp.db-journal && sp trust --moved -y")
	require.NotContains(t, v.must("strange", "sp tenant list"), "theirs")
}

// serve has a project's tenant own a database on a server that sp runs.
func (v *travel) serve(project string) {
	v.t.Helper()
	harness.Mess(v.t, filepath.Join(v.dir, project, ".systemprompt/sp.db"),
		"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0);"+
			"INSERT INTO databases VALUES ('mine', 'ready', 'local', 'sp_mine', 'a', NULL)")
}

func (v *travel) id(project string) string {
	v.t.Helper()
	text, err := os.ReadFile(filepath.Join(v.dir, project, ".systemprompt/.place"))
	require.NoError(v.t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	id, _, _ := strings.Cut(lines[len(lines)-1], " ")
	return id
}

// While git tracks sp.db, whoever can push changes it: neither a receipt nor sp trust helps.
func TestWhatGitTracksIsNotTrusted(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	v.must("mine", "git init -q . && git add -A && git add -f .systemprompt/sp.db && git commit -qm oops && rm .systemprompt/sp.db && git checkout -q -- . && chmod 600 .systemprompt/sp.db")
	for _, command := range []string{"sp resolve", "sp trust -y", "sp trust --moved -y"} {
		out, exit := v.sh("mine", command)
		require.Equal(t, 6, exit, "%s: %s", command, out)
		require.Contains(t, out, "git tracks it", command)
	}
	v.must("mine", "git rm -q --cached .systemprompt/sp.db && git commit -qm mended && sp trust --moved -y && sp resolve")
}

// Where there is no home, or none that can be written, the place alone vouches.
func TestWithoutAHomeThePlaceVouches(t *testing.T) {
	t.Parallel()
	for what, env := range map[string]string{"none": "HOME=", "a missing one": alone, "a relative one": "HOME=x", "a file": "HOME=/dev/null", "state that can't be made": "XDG_STATE_HOME=/proc/x"} {
		v := newTravel(t)
		v.must(".", "mkdir p && cd p && sp init && sp tenant create --name a --database-url postgres://u:p@h/d --no-check && sp resolve --tenant a", env)
		require.NoDirExists(t, filepath.Join(v.dir, "p", "x"), what)
	}
	if os.Getuid() != 0 {
		return
	}
	v := newTravel(t) // somebody else's home, as behind sudo
	require.NoError(t, os.Chown(v.home, 12345, 12345))
	v.must(".", "mkdir p && cd p && sp init")
	require.NoDirExists(t, filepath.Join(v.home, ".local"))
	v.must(".", "mkdir q && cd q && sp init", "XDG_STATE_HOME="+v.home)
	require.NoDirExists(t, filepath.Join(v.home, "sp"))
}

// Where a file system keeps no time of birth, a receipt vouches. Without a place for one, no
// registry is made that could not be used, and sp trust does not say that it is trusted.
func TestWithoutATimeOfBirthAReceiptVouches(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	if out, exit := v.sh(".", "truncate -s 16M img && mkfs.ext4 -q -I 128 img && mkdir m && unshare -m mount -o loop img m"); exit != 0 {
		t.Skipf("skipped: no file system without a time of birth can be mounted: %s", out)
	}
	const tenant = "sp tenant create --name mine --database-url postgres://u:p@mine.example/d --no-check"
	mounted := func(command string, env ...string) (string, int) {
		return v.sh(".", "unshare -m sh -c 'mount -o loop img m && cd m && "+command+"'", env...)
	}
	for _, env := range []string{"HOME=", "HOME=/dev/null", "XDG_STATE_HOME=/proc/x"} {
		out, exit := mounted("sp init", env)
		require.Equal(t, 6, exit, out)
		require.Contains(t, out, "no time of birth")
		require.Contains(t, out, "XDG_STATE_HOME")
		require.NotContains(t, out, "waiting", "for itself")
	}
	out, exit := mounted("sp init && " + tenant + " && sp resolve --tenant mine && cp -a .systemprompt away && rm -r .systemprompt && mv away .systemprompt && sp resolve --tenant mine")
	require.Zero(t, exit, out)
	for _, command := range []string{"sp resolve --tenant mine", "sp trust -y", "sp trust --moved -y"} {
		out, exit = mounted(command, "HOME=")
		require.Equal(t, 6, exit, out)
	}
	require.Contains(t, out, "no time of birth")
	out, exit = mounted("SP_TRUST=$(pwd) && export SP_TRUST && sp resolve --tenant mine && sp tenant edit mine --region x", "HOME=")
	require.Zero(t, exit, out)
	out, exit = mounted("sp trust --moved -y && sp resolve --tenant mine", "XDG_STATE_HOME="+v.dir)
	require.Zero(t, exit, out)
}

// The id is a secret: whoever has it can make a registry that passes for this one.
func TestNoOutputHasTheId(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	id := v.id("mine")
	require.Len(t, id, 64)
	v.must(".", "cp -a mine copy")
	for _, command := range []string{
		"sp status", "sp status --json", "sp doctor", "sp doctor --json", "sp log --json", "sp tenant show mine --json --reveal", "sp export -", "sp explain --json --reveal",
		"sp tenant edit mine --region x --json", "sp trust", "HOME=/nonexistent sp resolve", "HOME=/nonexistent sp resolve --json", "HOME=/nonexistent sp trust </dev/null",
	} {
		out, _ := v.sh("copy", command)
		require.NotContains(t, out, id, command)
	}
	require.Equal(t, os.FileMode(0o600), mustStat(t, filepath.Join(v.dir, "mine/.systemprompt/.place")).Mode().Perm())
	receipts, err := os.ReadDir(filepath.Join(v.home, ".local/state/sp/trust"))
	require.NoError(t, err)
	require.NotEmpty(t, receipts)
	for _, receipt := range receipts {
		require.NotContains(t, receipt.Name(), id)
		info := mustStat(t, filepath.Join(v.home, ".local/state/sp/trust", receipt.Name()))
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	require.Equal(t, os.FileMode(0o700), mustStat(t, filepath.Join(v.home, ".local/state/sp/trust")).Mode().Perm())
}

func mustStat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info
}

// A journal that names another one would have SQLite look at files of the stranger's choice.
func TestAJournalThatNamesAnotherIsNotPlayedBack(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	journal := filepath.Join(v.dir, "mine/.systemprompt/sp.db-journal")
	file, err := os.OpenFile(journal, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(strings.Repeat("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 200))
	require.NoError(t, err)
	require.NoError(t, file.Close())
	before := mustStat(t, journal).Sys().(*syscall.Stat_t).Ino
	out, exit := v.sh("mine", "sp resolve")
	require.Equal(t, 6, exit, out)
	require.Contains(t, out, "names another journal")
	require.Equal(t, before, mustStat(t, journal).Sys().(*syscall.Stat_t).Ino)
}

// Every command but those that help refuses, whatever it is to do.
func TestNoCommandUsesARegistryThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	template := newSandbox(t)
	cage(template, caged)
	allowed := map[string]bool{"status": true, "doctor": true, "trust": true, "restore": true, "help": true, "version": true, "db list": true, "db remove": true}
	refused := 0
	for words, row := range rowsOfEveryCommand(t) {
		if allowed[canonical(words)] {
			continue
		}
		s := newSandbox(t)
		require.NoError(t, os.CopyFS(s.dir, os.DirFS(template.dir)))
		makePrivate(t, s.dir)
		delete(s.env, "SP_TRUST")
		s.stdin = caged
		for _, args := range row.lines(false) {
			args = append(strings.Fields(words), args...)
			o := s.run(append([]string{"--json"}, args...)...)
			if strings.Contains(strings.Join(args, " "), "--help") || strings.Contains(strings.Join(args, " "), "--dir") || o.exit == 2 || o.exit == 9 && o.code(t) == "unsupported" {
				continue // before anything is looked at
			}
			require.NotZero(t, o.exit, "sp %v: %s", args, o.stdout)
			if o.code(t) == "store" && slices.ContainsFunc(args, func(arg string) bool {
				return strings.HasSuffix(arg, "file") || strings.Contains(arg, "given") || strings.Contains(arg, "nosuch")
			}) {
				continue // of a file that was named
			}
			require.Equal(t, 6, o.exit, "sp %v: %s%s", args, o.stdout, o.stderr)
			require.Equal(t, "untrusted", o.code(t), "sp %v: %s", args, o.stdout)
			refused++
		}
	}
	require.Greater(t, refused, 100)
}

// No command of a copy starts, stops or removes the original's server, and be it the first.
func TestACopyLeavesTheOriginalsServerAlone(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("skipped: there is no sqlite3")
	}
	v := newTravel(t)
	v.mine()
	data := filepath.Join(v.dir, "data/postgres/qsozhdwnwcf4s5q5-mine")
	v.must(".", "mkdir -p "+data+"/data && echo 15 > "+data+"/data/PG_VERSION")
	v.must("mine", `sqlite3 .systemprompt/sp.db "INSERT INTO servers (name, provider, admin_url, chosen, place, identity)
		VALUES ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0, 'qsozhdwnwcf4s5q5-mine', '1:1')"`)
	env := []string{"SP_OFFLINE=", "SP_DATA_DIR=" + filepath.Join(v.dir, "data")}
	for _, command := range []string{"db remove local -y", "db remove qsozhdwnwcf4s5q5-mine -y", "db down", "db up", "db status", "tenant create --name next"} {
		v.must(".", "rm -rf copy && cp -a mine copy")
		out, _ := v.sh("copy", "sp "+command, env...)
		require.FileExists(t, filepath.Join(data, "data/PG_VERSION"), "%s: %s", command, out)
		if !strings.Contains(command, "remove") {
			require.Contains(t, out, "not used: it belongs to the project of which this one is a copy", command)
		}
	}
}

// A backup that is restored elsewhere, while the project that it is of goes on, is a copy of that:
// the databases are not its own to drop.
func TestABackupRestoredElsewhereIsACopy(t *testing.T) {
	t.Parallel()
	v := newTravel(t)
	v.mine()
	harness.Mess(t, filepath.Join(v.dir, "mine/.systemprompt/sp.db"),
		`INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('local', 'local', 'postgres://a:s3cret@127.0.0.1:1/postgres', 0);
		 INSERT INTO databases VALUES ('mine', 'ready', 'local', 'sp_mine', 'a', NULL)`)
	out := v.must(".", "cd mine && sp backup ../b && mkdir ../other && cd ../other && sp restore ../b")
	require.Contains(t, out, "is a copy of "+filepath.Join(v.dir, "mine", ".systemprompt"))
	require.NotEqual(t, v.id("mine"), v.id("other"))
	require.Contains(t, v.must("other", "sp db status; ! sp db up; sp tenant delete mine -y"), "its database is left alone, because sp does not keep it as one that it made")
	require.NotContains(t, v.must("mine", "sp tenant edit mine --region ord"), "copy of")

	v.must(".", "mv mine/.systemprompt gone && mkdir again && cd again && sp restore ../b")
	require.NotContains(t, v.must("again", "sp db status"), "not used", "of a project that is gone, it is what goes on")
}
