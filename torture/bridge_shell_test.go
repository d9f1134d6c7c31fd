package torture

import (
	"fmt"
	"math/rand/v2"
)

// shell is one in which sp is called. It owns tenants that nobody else changes, but for
// the member of theirs that is the original's.
type shell struct {
	*beside
	name   string
	dice   *rand.Rand
	said   map[string]string // the region of each of its tenants
	tokens map[string]string
	gone   []string
}

func (s *shell) step(n int) {
	id := ""
	for id = range s.said {
		break
	}
	number := fmt.Sprint(n)
	switch dice := s.dice.IntN(10); {
	case id == "" || dice < 3:
		id = s.name + "-" + number
		s.sp("tenant", "create", "--id", id, "--name", id, "--database-url", numbered(id, number), "--shared-container-db", "t"+number)
		s.said[id], s.tokens[id] = "<nil>", "t"+number
	case dice < 6:
		s.sp("tenant", "edit", id, "--region", number)
		s.said[id] = number
	case dice < 7:
		s.sp("tenant", "delete", id, "-y")
		delete(s.said, id)
		s.gone = append(s.gone, id)
	case dice < 8:
		s.sp("tenant", "select", id)
	default:
		s.sp("export")
	}
}

func (s *shell) judge(there map[string]map[string]any) {
	for id, region := range s.said {
		s.compare(id, there[id], "region", region)
		s.compare(id, there[id], "shared_container_db", s.tokens[id])
		if host := s.original.hosts[id]; host != "" && !s.left[id] && !s.left[id+"/hostname"] {
			s.compare("the original's member of "+id, there[id], "hostname", host)
		}
	}
	for _, id := range s.gone {
		if there[id] != nil {
			s.problem("%s came back", id)
		}
	}
}
