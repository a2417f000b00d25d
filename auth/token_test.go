package auth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/wigwag-chat/wigwag/auth"
)

// An access token verifies with the public key of the key set, by another library user.
func TestTokenAndKeySet(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		r := newRig(t, func(c *auth.Config) { c.Algorithm, c.Issuer, c.Audience = algorithm, "https://chat.example", "chat" })
		tokens := r.byPhone(number)
		var claims map[string]any
		header := part(t, tokens.AccessToken, 0)
		if err := json.Unmarshal(decode(t, strings.Split(tokens.AccessToken, ".")[1]), &claims); err != nil {
			t.Fatal(err)
		}
		who, err := r.Token(t.Context(), tokens.AccessToken)
		is(t, "token", err, nil)
		iat := claims["iat"].(float64)
		if header["alg"] != algorithm || header["typ"] != "at+jwt" || claims["iss"] != "https://chat.example" || claims["sub"] != who.UserID ||
			claims["sid"] != who.SessionID || claims["jti"] == nil || claims["nbf"] != iat || claims["exp"] != iat+900 || claims["role"] != "user" {
			t.Errorf("%v %v", header, claims)
		}
		jwks := keySet(t, r.Provider)
		if len(jwks) != 2 || jwks[0]["kid"] != header["kid"] || jwks[0]["alg"] != algorithm || jwks[0]["use"] != "sig" || jwks[0]["d"] != nil {
			t.Errorf("%v", jwks)
		}
		if algorithm != "RS256" {
			continue
		}
		public := &rsa.PublicKey{
			N: new(big.Int).SetBytes(decode(t, jwks[0]["n"].(string))), E: int(new(big.Int).SetBytes(decode(t, jwks[0]["e"].(string))).Int64()),
		}
		if public.N.BitLen() != 2048 {
			t.Errorf("%d bits", public.N.BitLen())
		}
		if _, err := jwt.Parse(tokens.AccessToken, func(*jwt.Token) (any, error) { return public, nil }, jwt.WithTimeFunc(r.clock)); err != nil {
			t.Error(err)
		}
	}
}

func decode(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func part(t testing.TB, token string, n int) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(decode(t, strings.Split(token, ".")[n]), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func keySet(t testing.TB, p *auth.Provider) []map[string]any {
	t.Helper()
	raw, err := p.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	return set.Keys
}

// privateKey opens the current signing key as only the host can.
func privateKey(t testing.TB, r *rig) (kid string, key any) {
	t.Helper()
	stored, err := r.store.Auth().SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stored {
		if s.State == auth.KeyCurrent {
			raw, err := r.vault.Unwrap(t.Context(), s.Private, []byte("wigwag signing key v1\x00"+s.ID+"\x00"+s.Algorithm))
			if err != nil {
				t.Fatal(err)
			}
			if key, err = x509.ParsePKCS8PrivateKey(raw); err != nil {
				t.Fatal(err)
			}
			return s.ID, key
		}
	}
	t.Fatal("no current key")
	return "", nil
}

func TestForgedTokens(t *testing.T) {
	for _, algorithm := range []string{"RS256", "EdDSA"} {
		r := newRig(t, func(c *auth.Config) { c.Algorithm = algorithm })
		tokens := r.byPhone(number)
		kid, key := privateKey(t, r)
		method := jwt.GetSigningMethod(algorithm)
		make := func(method jwt.SigningMethod, key any, change func(header, claims map[string]any)) string {
			token := jwt.NewWithClaims(method, jwt.MapClaims(part(t, tokens.AccessToken, 1)))
			token.Header["typ"], token.Header["kid"] = "at+jwt", kid
			if change != nil {
				change(token.Header, token.Claims.(jwt.MapClaims))
			}
			signed, err := token.SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return signed
		}
		header := func(name string, value any) string {
			return make(method, key, func(header, _ map[string]any) { header[name] = value })
		}
		claim := func(name string, value any) string {
			return make(method, key, func(_, claims map[string]any) {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			})
		}
		_, err := r.Token(t.Context(), make(method, key, nil))
		is(t, "the harness makes good tokens", err, nil)

		var public []byte
		stored, _ := r.store.Auth().SigningKeys(t.Context())
		for _, s := range stored {
			if s.ID == kid {
				public = s.Public
			}
		}
		asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
		_, stranger, _ := ed25519.GenerateKey(nil)
		now := float64(r.now.Unix())
		parts := strings.Split(tokens.AccessToken, ".")
		for name, forged := range map[string]string{
			"none":                   make(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
			"no signature":           parts[0] + "." + parts[1] + ".",
			"HMAC by the public key": make(jwt.SigningMethodHS256, public, nil),
			"HMAC by its PEM":        make(jwt.SigningMethodHS256, asPEM, nil),
			"a stranger's key":       make(jwt.SigningMethodEdDSA, stranger, nil),
			"unknown kid":            header("kid", "x"),
			"no kid":                 header("kid", ""),
			"kid of another type":    header("kid", 7),
			"another typ":            header("typ", "JWT"),
			"jwk":                    header("jwk", map[string]string{"kty": "OKP"}),
			"jku":                    header("jku", "https://evil.example/jwks.json"),
			"x5u":                    header("x5u", "https://evil.example/x"),
			"crit":                   header("crit", []string{"exp"}),
			"another issuer":         claim("iss", "evil"),
			"another audience":       claim("aud", "other"),
			"no audience":            claim("aud", nil),
			"no end":                 claim("exp", nil),
			"no beginning":           claim("nbf", nil),
			"not yet":                claim("nbf", now+31),
			"from the future":        claim("iat", now+31),
			"no subject":             claim("sub", ""),
			"no session":             claim("sid", ""),
			"altered":                parts[0] + "." + parts[1][:20] + "A" + parts[1][21:] + "." + parts[2],
			"padded":                 tokens.AccessToken + "=",
			"two parts":              parts[0] + "." + parts[1],
			"empty":                  "",
			"huge":                   strings.Repeat("a.", 1<<20),
		} {
			if _, err := r.Token(t.Context(), forged); !errors.Is(err, auth.ErrTokenInvalid) {
				t.Errorf("%s, %s: %v", algorithm, name, err)
			}
		}
		_, err = r.Token(t.Context(), claim("nbf", now+30))
		is(t, "a clock ahead by 30 s", err, nil)
		_, err = r.Token(t.Context(), claim("sid", "x"))
		is(t, "no such session", err, auth.ErrTokenRevoked)
		_, err = r.Token(t.Context(), claim("sub", "x"))
		is(t, "another's session", err, auth.ErrTokenRevoked)
		r.pass(15*time.Minute - time.Second)
		_, err = r.Token(t.Context(), tokens.AccessToken)
		is(t, "at its end", err, nil)
		r.pass(time.Second)
		_, err = r.Token(t.Context(), tokens.AccessToken)
		is(t, "after its end", err, auth.ErrTokenExpired)
	}
}

// FuzzToken: whatever comes in, no panic, and only what was signed here passes.
func FuzzToken(f *testing.F) {
	r := newRig(f, func(c *auth.Config) { c.Algorithm = "RS256" })
	tokens := r.byPhone(number)
	parts := strings.Split(tokens.AccessToken, ".")
	for _, seed := range []string{
		"", ".", "..", "a.b.c", tokens.AccessToken, parts[0] + "." + parts[1] + ".", parts[0] + ".e30." + parts[2], tokens.RefreshToken,
		base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt","kid":"x"}`)) + "." + parts[1] + ".",
		base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"at+jwt","kid":null}`)) + "." + parts[1] + "." + parts[2],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		who, err := r.Token(context.Background(), token)
		if err == nil && (token != tokens.AccessToken || who.UserID != tokens.UserID) {
			t.Fatalf("accepted %q as %+v", token, who)
		}
		if err != nil && !errors.Is(err, auth.ErrTokenInvalid) {
			t.Fatalf("%q: %v", token, err)
		}
	})
}
