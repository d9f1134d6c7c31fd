package project

import (
	"io"

	"github.com/sp-registry/sp/internal/secret"
)

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// NewJWTSecret returns 64 ASCII letters and digits, each as likely as the others.
func NewJWTSecret(random io.Reader) (secret.Secret, error) {
	const fair = 256 / len(alphanumerics) * len(alphanumerics) // above it, some would come up more often
	text := make([]byte, 0, 64)
	var drawn [96]byte
	for len(text) < cap(text) {
		if _, err := io.ReadFull(random, drawn[:]); err != nil {
			return secret.Secret{}, err
		}
		for _, b := range drawn {
			if int(b) < fair && len(text) < cap(text) {
				text = append(text, alphanumerics[int(b)%len(alphanumerics)])
			}
		}
	}
	return secret.New(string(text)), nil
}
