package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// jwk is a public key by RFC 7517, 7518 and 8037.
type jwk struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	Curve     string `json:"crv,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
}

// JWKS returns the public keys as an RFC 7517 key set, the oldest first: the
// retired ones that tokens may still be signed with, the current, and the announced.
func (p *Provider) JWKS(ctx context.Context) ([]byte, error) {
	set, err := p.keys.get(ctx, keysFresh)
	if err != nil {
		return nil, err
	}
	out := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, s := range set.stored {
		key := set.byID[s.ID]
		if key == nil || ended(s, p.now()) {
			continue
		}
		j, err := publicJWK(key.signer.Public())
		if err != nil {
			return nil, fmt.Errorf("auth: key set: %w", err)
		}
		j.Use, j.Algorithm, j.ID = "sig", s.Algorithm, s.ID
		out.Keys = append(out.Keys, j)
	}
	return json.Marshal(out)
}

func publicJWK(public any) (jwk, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		return jwk{Type: "RSA", N: b64(k.N.Bytes()), E: b64(big.NewInt(int64(k.E)).Bytes())}, nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, X, Y
		if err != nil {
			return jwk{}, err
		}
		half := (len(point) - 1) / 2
		return jwk{Type: "EC", Curve: "P-256", X: b64(point[1 : 1+half]), Y: b64(point[1+half:])}, nil
	case ed25519.PublicKey:
		return jwk{Type: "OKP", Curve: "Ed25519", X: b64(k)}, nil
	}
	return jwk{}, fmt.Errorf("no key of type %T", public)
}
