package login

import (
	"context"
	"crypto/ed25519"
	"io"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// loadSigner returns what signs access tokens. Nothing has to trust the signature: a token is good
// while its row is there.
func (l *Login) loadSigner(ctx context.Context) (jose.Signer, error) {
	var key server.SigningKey
	err := l.DB.Write(ctx, func(q *server.Queries) (err error) {
		if key, err = q.SigningKey(ctx); server.IsMissing(err) {
			key, err = l.makeKey(ctx, q)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	private := jose.JSONWebKey{Key: ed25519.NewKeyFromSeed(key.Seed), KeyID: key.ID, Algorithm: string(jose.EdDSA)}
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: private}, (&jose.SignerOptions{}).WithType("at+jwt"))
}

func (l *Login) makeKey(ctx context.Context, q *server.Queries) (server.SigningKey, error) {
	key := server.SigningKey{Seed: make([]byte, ed25519.SeedSize)}
	if _, err := io.ReadFull(l.Random, key.Seed); err != nil {
		return key, err
	}
	public := ed25519.NewKeyFromSeed(key.Seed).Public().(ed25519.PublicKey)
	key.ID = secret.Hash(string(public))[:16]
	return key, q.InsertSigningKey(ctx, server.InsertSigningKeyParams(key))
}
