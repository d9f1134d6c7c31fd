package postgres

import (
	"net/url"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// admin is the superuser of a cluster, and image that of the container: the name that
// the image gives it.
const (
	admin = "sp_admin"
	image = "postgres"
)

// ClusterURL returns the admin connection of a cluster.
func ClusterURL(port int, password secret.Secret) secret.Secret {
	return adminURL(admin, port, password)
}

// DockerURL returns the admin connection of the container.
func DockerURL(port int, password secret.Secret) secret.Secret {
	return adminURL(image, port, password)
}

func adminURL(user string, port int, password secret.Secret) secret.Secret {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, password.Reveal()), Host: address(port), Path: "/postgres"}
	return secret.New(u.String())
}

// line is a text for a file that ends in a password and a newline.
func line(before string, password secret.Secret) []byte {
	return []byte(before + password.Reveal() + "\n")
}

// isPlain tells of a password whether it is of the letters, digits, `-` and `_` that
// mean themselves in all the files that it goes into.
func isPlain(password secret.Secret) bool {
	text := password.Reveal()
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// without returns what a program said without the password, should that be in it, and
// without addresses.
func without(password secret.Secret, said string) string {
	if !password.Empty() {
		said = strings.ReplaceAll(said, password.Reveal(), "[secret]")
	}
	words := strings.Split(said, " ")
	for i, word := range words {
		if strings.Contains(word, "://") {
			words[i] = "[address]"
		}
	}
	return strings.Join(words, " ")
}
