package keys

import (
	"context"
	"io"
)

type Key struct{ secret *[32]byte }

func Generate(rand io.Reader) (Key, error) { panic("soon") }
func ParseKey(text string) (Key, error)    { panic("soon") }
func (k Key) Encode() string               { panic("soon") }

type Ring struct{}

func NewRing(primary Key, older ...Key) *Ring                                   { panic("soon") }
func (r *Ring) Wrap(ctx context.Context, plaintext, aad []byte) ([]byte, error) { panic("soon") }
func (r *Ring) Unwrap(ctx context.Context, sealed, aad []byte) ([]byte, error)  { panic("soon") }
func ReadFile(path string) (*Ring, error)                                       { panic("soon") }
func CreateFile(path string, rand io.Reader) (*Ring, error)                     { panic("soon") }

type Box struct{}

func NewBox(key []byte) (*Box, error)                       { panic("soon") }
func (b *Box) Seal(dst, plaintext, aad []byte) []byte       { panic("soon") }
func (b *Box) Open(dst, sealed, aad []byte) ([]byte, error) { panic("soon") }

type Vault struct{}

func NewVault(kms KMS, store Store, rand io.Reader) *Vault                       { panic("soon") }
func (v *Vault) Check(ctx context.Context) error                                 { panic("soon") }
func (v *Vault) Secret(ctx context.Context, name string) ([]byte, error)         { panic("soon") }
func (v *Vault) Wrap(ctx context.Context, plaintext, aad []byte) ([]byte, error) { panic("soon") }
func (v *Vault) Unwrap(ctx context.Context, sealed, aad []byte) ([]byte, error)  { panic("soon") }
