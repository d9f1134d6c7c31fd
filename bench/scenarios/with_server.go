package scenarios

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/bench/pair"
)

// withServer is D7: a database made on the server that sp runs, and psql through sp by psql
// alone.
func withServer(b *Bench) (figures []Figure, err error) {
	create := Figure{Name: "`sp tenant create` with a server", Unit: "ms", Bound: pair.Bound{Gate: 200}}
	data, err := os.MkdirTemp("", "sp-bench-data-") // root's caches are closed to the user who runs the server
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	if err := os.Chmod(data, 0o711); err != nil {
		return nil, err
	}
	served := *b
	served.Rig.Env = append(slices.DeleteFunc(slices.Clone(b.Rig.Env), func(v string) bool { return v == "SP_OFFLINE=1" }), "SP_DATA_DIR="+data)
	p := Place{Dir: filepath.Join(b.Work, "served")}
	if err := p.empty(); err != nil {
		return nil, err
	}
	if _, err := served.Rig.Run(served.sp(p, "set-up", "tenant", "create", "--name", "bench", "--provider", "local")); err != nil {
		create.Missing = err.Error()
		return []Figure{create}, nil
	}
	defer func() {
		err = errors.Join(err, served.running(served.sp(p, "clearing", "db", "remove", "local", "-y"))())
	}()
	if _, err := served.Rig.Run(served.sp(p, "set-up", "profile", "create", "bench", "-y")); err != nil {
		return nil, err
	}
	return served.onServer(p, create)
}

func (b *Bench) onServer(p Place, create Figure) ([]Figure, error) {
	url := b.resolve(p, "url")
	url.Stdout = filepath.Join(b.Work, "url")
	if _, err := b.Rig.Run(url); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(url.Stdout)
	if err != nil {
		return nil, err
	}
	psql, err := exec.LookPath("psql")
	if err != nil {
		return nil, err
	}
	made := b.sp(p, "create", "tenant", "create", "--name", "made", "--provider", "local")
	made.After = b.running(b.sp(p, "clearing", "tenant", "delete", "made", "--confirm", "made", "-y"))
	ask := []string{"-XqAtc", "SELECT 1"}
	bare := pair.Command{Label: "psql", Program: psql, Args: append(ask, strings.TrimSpace(string(text))), Dir: p.Dir}
	through, inside := b.sp(p, "sp psql", append([]string{"psql", "--"}, ask...)...), b.sp(p, "sp exec", append([]string{"exec", "--", "psql"}, ask...)...)
	if err := b.answerAlike(bare, through, inside); err != nil {
		return nil, err
	}
	s, err := b.Rig.Compare(b.rounds(10_000), made, bare, through, inside)
	if err != nil {
		return nil, err
	}
	figure := b.wait(create.Name, s, "create", create.Bound.Gate)
	return []Figure{
		figure,
		b.ratio("`sp psql -- -c` / psql", s, "sp psql", "psql", pair.Bound{}),
		b.ratio("`sp exec -- psql -c` / psql", s, "sp exec", "psql", pair.Bound{}),
	}, nil
}
