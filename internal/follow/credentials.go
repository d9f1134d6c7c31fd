package follow

import (
	"net/url"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// credentialsPath is where the original keeps what logs it in to the cloud, within the
// directory.
const credentialsPath = "credentials.json"

// credentials are what credentials.json says.
type credentials struct {
	Token             secret.Secret
	APIURL, UserEmail string
	AuthenticatedAt   time.Time
	// LastValidatedAt is nil where older versions do not say.
	LastValidatedAt *time.Time
}

// readCredentials reads the text of credentials.json. Its errors are ErrUnusable.
func readCredentials(text []byte) (credentials, error) {
	file, err := parseObject(text, "api_token", "api_url", "authenticated_at", "user_email", "last_validated_at")
	if err != nil {
		return credentials{}, err
	}
	f := fields{Object: file}
	c := credentials{
		Token: secret.New(f.text("api_token")), APIURL: f.text("api_url"),
		AuthenticatedAt: f.time("authenticated_at"), UserEmail: f.text("user_email"),
	}
	if f.optional("last_validated_at") != nil {
		at := f.time("last_validated_at")
		c.LastValidatedAt = &at
	}
	if c.Token.Empty() {
		f.fail("api_token is empty")
	}
	if !isWebURL(c.APIURL) {
		f.fail("api_url is not a URL")
	}
	if !isEmail(c.UserEmail) {
		f.fail("user_email is not an email address")
	}
	if f.why != "" {
		return credentials{}, corrupt("%s", f.why)
	}
	return c, nil
}

func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// isEmail holds the rule of the original: one @, and dots that part something.
func isEmail(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	if !ok || strings.ContainsAny(domain, "@") || strings.ContainsAny(text, "\r\n") {
		return false
	}
	last := strings.LastIndexByte(domain, '.')
	return areParted(local) && areParted(domain) && last >= 0 && len(domain)-last-1 >= 2
}

// areParted tells whether no dot is first, last or beside another.
func areParted(text string) bool {
	return text != "" && !strings.HasPrefix(text, ".") && !strings.HasSuffix(text, ".") && !strings.Contains(text, "..")
}
