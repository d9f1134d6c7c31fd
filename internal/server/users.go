package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/server/login"
)

// User is somebody who may use the control plane.
type User struct {
	ID      string              `json:"id"`
	Name    string              `json:"name"`
	Email   string              `json:"email"`
	Role    Role                `json:"role" enum:"admin,member,reader"`
	Active  bool                `json:"active"`
	Tenants []registry.TenantID `json:"tenants"`
	Created time.Time           `json:"created_at"`
}

// UserEdit has what a user is to have from now on; nil leaves it.
type UserEdit struct {
	Role    *string   `json:"role,omitempty" enum:"admin,member,reader"`
	Active  *bool     `json:"active,omitempty"`
	Tenants *[]string `json:"tenants,omitempty" maxItems:"10000" uniqueItems:"true"`
}

// users are the operations on users, which admins have.
func (s *Server) users(api huma.API) {
	huma.Register(api, operation("users", http.MethodGet, "/api/v1/users", "all users", Admin), func(ctx context.Context, _ *struct{}) (*struct{ Body data[[]User] }, error) {
		found, err := s.Users(ctx)
		return &struct{ Body data[[]User] }{data[[]User]{found}}, s.refused(ctx, err)
	})
	edit := bodied(operation("editUser", http.MethodPatch, "/api/v1/users/{id}", "a user's role and tenants, and whether the user may log in", Admin, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity))
	edit.MaxBodyBytes = longBody
	huma.Register(api, edit, func(ctx context.Context, in *struct {
		TenantPath
		Body UserEdit
	},
	) (*struct{ Body data[User] }, error) {
		edited, err := s.EditUser(ctx, in.ID, in.Body)
		return &struct{ Body data[User] }{data[User]{edited}}, s.refused(ctx, err)
	})
}

// Errors of what an operator asks for.
var (
	// ErrNoUser is returned for a user who is not there.
	ErrNoUser = errors.New("no such user")
	// ErrUserExists is returned for a name that a user has.
	ErrUserExists = errors.New("a user of that name exists already")
	// ErrInactive is returned for a user who may not come in.
	ErrInactive = errors.New("locked out")
	// ErrLastAdmin is returned where nobody would be left who may do everything.
	ErrLastAdmin = errors.New("there is no other")
	// ErrInvalid is returned for a name, role or code that is not allowed.
	ErrInvalid = errors.New("not allowed")
)

// AddUser adds a user, and returns the code by which he comes in once.
func (s *Server) AddUser(ctx context.Context, name string, role Role) (User, secret.Secret, error) {
	a := act{action: "user.add"}
	u, code, err := s.addUser(ctx, name, role, &a)
	return u, code, s.noteRefused(ctx, a, err)
}

func (s *Server) addUser(ctx context.Context, name string, role Role, a *act) (u User, code secret.Secret, err error) {
	if err := checkUserName(name); err != nil {
		return u, code, err
	}
	a.target = name
	if !slices.Contains(Roles, role) {
		return u, code, fmt.Errorf("role %q: %w", role, ErrInvalid)
	}
	id, err := newID(s.Random)
	if err != nil {
		return u, code, err
	}
	err = s.db.Write(ctx, func(q *rows.Queries) error {
		_, err := q.UserNamed(ctx, strings.ToLower(name))
		if err == nil {
			return fmt.Errorf("user %s: %w", name, ErrUserExists)
		}
		if !rows.IsMissing(err) {
			return err
		}
		err = q.InsertUser(ctx, rows.InsertUserParams{
			ID: id, Name: name, NameKey: strings.ToLower(name), Email: emailOf(name), Role: string(role), Active: true, CreatedAt: s.Now().UnixMicro(),
		})
		if err == nil {
			code, err = s.putJoinCode(ctx, q, id)
		}
		if err == nil {
			err = q.InsertAudit(ctx, s.entry(ctx, *a))
		}
		if err == nil {
			u, err = s.userIn(ctx, q, id)
		}
		return err
	})
	return u, code, err
}

// JoinCode gives a user another code by which he comes in once; the one before ends.
func (s *Server) JoinCode(ctx context.Context, name string) (u User, code secret.Secret, err error) {
	a := act{action: "user.code"}
	err = s.db.Write(ctx, func(q *rows.Queries) error {
		row, err := userNamed(ctx, q, name)
		if err == nil {
			a.target = row.Name
			err = mustBeActive(ctx, q, row.ID)
		}
		if err != nil {
			return err
		}
		if code, err = s.putJoinCode(ctx, q, row.ID); err != nil {
			return err
		}
		if u, err = s.userIn(ctx, q, row.ID); err != nil {
			return err
		}
		return q.InsertAudit(ctx, s.entry(ctx, a))
	})
	return u, code, s.noteRefused(ctx, a, err)
}

// codeLife is how long a join code works.
const codeLife = 24 * time.Hour

func (s *Server) putJoinCode(ctx context.Context, q *rows.Queries, user string) (code secret.Secret, err error) {
	shown, hash, err := login.JoinCode(s.Random)
	if err != nil {
		return code, err
	}
	return secret.New(shown), errors.Join(q.DeleteJoinCodesOf(ctx, user), q.InsertJoinCode(ctx, rows.InsertJoinCodeParams{
		Hash: hash, UserID: user, ExpiresAt: s.Now().Add(codeLife).UnixMicro(),
	}))
}

// checkUserName refuses what could not be shown or typed.
func checkUserName(name string) error {
	const longest = 64
	odd := func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }
	if name == "" || len(name) > longest || strings.ContainsFunc(name, odd) || pgurl.IsMisplaced(name) {
		return fmt.Errorf("name of a user: 1 to %d letters, digits and signs, and no space: %w", longest, ErrInvalid)
	}
	return nil
}

// emailOf is the address that the original's files ask for: the name, if it is one.
func emailOf(name string) string {
	if local, domain, ok := strings.Cut(name, "@"); ok && local != "" && strings.Contains(domain, ".") && !strings.Contains(domain, "@") {
		return name
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return plain + "@users.invalid"
}

// Users returns all users in order of their names.
func (s *Server) Users(ctx context.Context) (found []User, err error) {
	found = []User{}
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		if _, err := s.stillIn(ctx, q); err != nil {
			return err
		}
		list, err := q.Users(ctx)
		if err != nil {
			return err
		}
		for _, row := range list {
			u, err := s.userIn(ctx, q, row.ID)
			if err != nil {
				return err
			}
			found = append(found, u)
		}
		return nil
	})
	return found, err
}

// userIn reads a user with what he may use.
func (s *Server) userIn(ctx context.Context, q *rows.Queries, id string) (User, error) {
	row, err := q.User(ctx, id)
	if rows.IsMissing(err) {
		return User{}, problem(http.StatusNotFound, "not_found", "there is no such user")
	}
	if err != nil {
		return User{}, err
	}
	u := User{
		ID: row.ID, Name: row.Name, Email: row.Email, Role: Role(row.Role), Active: row.Active, Tenants: []registry.TenantID{},
		Created: time.UnixMicro(row.CreatedAt).UTC(),
	}
	own, err := q.TenantsOf(ctx, id)
	for _, tenant := range own {
		u.Tenants = append(u.Tenants, registry.TenantID(tenant))
	}
	return u, err
}

func userNamed(ctx context.Context, q *rows.Queries, name string) (rows.User, error) {
	row, err := q.UserNamed(ctx, strings.ToLower(name))
	if rows.IsMissing(err) {
		err = fmt.Errorf("user %s: %w", harmless(name), ErrNoUser)
	}
	return row, err
}

// mustBeActive refuses what would let a user in who is locked out.
func mustBeActive(ctx context.Context, q *rows.Queries, id string) error {
	row, err := q.User(ctx, id)
	if err == nil && !row.Active {
		err = fmt.Errorf("user %s is %w", row.Name, ErrInactive)
	}
	return err
}

// UserNamed returns the user of a name.
func (s *Server) UserNamed(ctx context.Context, name string) (u User, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		row, err := userNamed(ctx, q, name)
		if err == nil {
			u, err = s.userIn(ctx, q, row.ID)
		}
		return err
	})
	return u, err
}

// EditUserNamed edits the user of a name.
func (s *Server) EditUserNamed(ctx context.Context, name string, e UserEdit) (User, error) {
	u, err := s.UserNamed(ctx, name)
	if err != nil {
		return u, s.noteRefused(ctx, act{action: "user.edit"}, err)
	}
	return s.EditUser(ctx, u.ID, e)
}

// EditUser edits a user. One who may not come in any more has no tokens any more. The last active admin
// stays one: nobody else could undo that over the API.
func (s *Server) EditUser(ctx context.Context, id string, e UserEdit) (User, error) {
	a := act{action: "user.edit", target: onlyID(id)}
	u, err := s.editUser(ctx, id, e, &a)
	return u, s.noteRefused(ctx, a, err)
}

func (s *Server) editUser(ctx context.Context, id string, e UserEdit, a *act) (u User, err error) {
	if e.Tenants != nil {
		if at, err := s.absent(ctx, *e.Tenants); err != nil {
			return u, err
		} else if at >= 0 {
			return u, invalid(fmt.Sprint("/tenants/", at), "there is no such tenant")
		}
	}
	err = s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		if _, err := s.stillIn(ctx, q); err != nil {
			return err
		}
		if u, err = s.userIn(ctx, q, id); err != nil {
			return err
		}
		was := u
		a.target = u.Name
		if e.Role != nil {
			u.Role = Role(*e.Role)
		}
		if e.Active != nil {
			u.Active = *e.Active
		}
		if was.rules() && !u.rules() {
			if err := mustHaveOther(ctx, q, u); err != nil {
				return err
			}
		}
		if err := q.UpdateUser(ctx, rows.UpdateUserParams{ID: id, Role: string(u.Role), Active: u.Active}); err != nil {
			return err
		}
		if !u.Active {
			if err := endLogins(ctx, q, id); err != nil {
				return err
			}
		}
		if e.Tenants != nil {
			if err := regrant(ctx, q, id, *e.Tenants); err != nil {
				return err
			}
		}
		if err := errors.Join(q.BumpGrants(ctx), q.InsertAudit(ctx, s.entry(ctx, *a))); err != nil {
			return err
		}
		u, err = s.userIn(ctx, q, id)
		return err
	})
	return u, err
}

// rules tells whether a user may do everything, and come in.
func (u User) rules() bool { return u.Role == AdminRole && u.Active }

// mustHaveOther refuses a change of the only active admin.
func mustHaveOther(ctx context.Context, q *rows.Queries, only User) error {
	all, err := q.Users(ctx)
	for _, row := range all {
		if row.ID != only.ID && Role(row.Role) == AdminRole && row.Active {
			return nil
		}
	}
	if err == nil {
		err = fmt.Errorf("user %s has to stay an active admin: %w", only.Name, ErrLastAdmin)
	}
	return err
}

// endLogins ends all by which a user could come in.
func endLogins(ctx context.Context, q *rows.Queries, user string) error {
	return errors.Join(
		q.DeleteTokensOfUser(ctx, &user), q.DeleteJoinCodesOf(ctx, user), q.DeleteLoginsOfUser(ctx, user), q.DeleteBrowsersOfUser(ctx, user),
		q.DeleteLoginCodesOfUser(ctx, user), q.DeleteDevicesOfUser(ctx, user),
	)
}

// regrant gives a user exactly these tenants.
func regrant(ctx context.Context, q *rows.Queries, user string, tenants []string) error {
	if err := q.RevokeUser(ctx, user); err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := q.Grant(ctx, rows.GrantParams{UserID: user, TenantID: tenant}); err != nil {
			return err
		}
	}
	return nil
}

// absent tells which of some tenants is the first that is not there, -1 if all are.
func (s *Server) absent(ctx context.Context, ids []string) (at int, err error) {
	at = -1
	err = s.read(ctx, func(view *registry.View) error {
		for i, id := range ids {
			_, err := view.Tenant(ctx, registry.TenantID(id))
			if isNotFound(err) {
				at = i
				return nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return at, err
}

// Grant lets a user use a tenant, or ends that.
func (s *Server) Grant(ctx context.Context, user string, tenant registry.TenantID, allowed bool) error {
	a := act{action: "grant.add", tenant: tenant}
	if !allowed {
		a.action = "grant.remove"
	}
	err := s.grant(ctx, user, allowed, &a)
	return s.noteRefused(ctx, a, err)
}

func (s *Server) grant(ctx context.Context, user string, allowed bool, a *act) error {
	if err := s.read(ctx, func(view *registry.View) error {
		_, err := view.Tenant(ctx, a.tenant)
		return err
	}); err != nil {
		return err
	}
	return s.db.Write(ctx, func(q *rows.Queries) error {
		row, err := userNamed(ctx, q, user)
		if err != nil {
			return err
		}
		a.target = row.Name
		if allowed {
			err = q.Grant(ctx, rows.GrantParams{UserID: row.ID, TenantID: string(a.tenant)})
		} else {
			_, err = q.Revoke(ctx, rows.RevokeParams{UserID: row.ID, TenantID: string(a.tenant)})
		}
		return errors.Join(err, q.BumpGrants(ctx), q.InsertAudit(ctx, s.entry(ctx, *a)))
	})
}

// grantTo gives who makes a tenant the use of it.
func (s *Server) grantTo(ctx context.Context, id registry.TenantID) error {
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		p, err := s.admittedIn(ctx, q)
		if err == nil && p.only != nil {
			err = problem(http.StatusForbidden, "denied", "this token is limited to certain tenants and can't create one")
		}
		if err != nil {
			return err
		}
		return errors.Join(q.Grant(ctx, rows.GrantParams{UserID: p.user.ID, TenantID: string(id)}), q.BumpGrants(ctx))
	})
}
