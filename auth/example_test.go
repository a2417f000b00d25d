package auth_test

import (
	"context"
	"fmt"
	"log"
	"regexp"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/phone/e164"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/users"
)

// outbox keeps the texts that would go out by SMS.
type outbox []string

func (o *outbox) SendSMS(_ context.Context, to, text string) error {
	*o = append(*o, text)
	return nil
}

// Somebody signs in with a phone number, without having had an account.
func Example() {
	ctx := context.Background()
	store := memory.New(memory.Options{})
	key, err := keys.Generate(nil) // a host reads it from a file
	if err != nil {
		log.Fatal(err)
	}
	profiles, err := users.New(users.Config{Store: store.Users()})
	if err != nil {
		log.Fatal(err)
	}
	var texts outbox
	accounts, err := auth.New(auth.Config{
		Store:    store.Auth(),
		Vault:    keys.NewVault(keys.NewRing(key), store.Keys(), nil),
		Phones:   e164.Parser{DefaultRegion: "US"},
		SMS:      &texts,
		Profiles: profiles,
	})
	if err != nil {
		log.Fatal(err)
	}
	// A server also runs: go accounts.Maintain(ctx)

	client := auth.Client{IP: "192.0.2.1", UserAgent: "example"}
	challenge, err := accounts.StartPhone(ctx, "(202) 555-0123", "", client)
	fmt.Println(challenge.PhoneNumber, err)

	code := regexp.MustCompile(`\d{6}`).FindString(texts[0])
	tokens, err := accounts.VerifyPhone(ctx, challenge.SessionID, code, "Ada", client)
	fmt.Println(tokens.Created, tokens.ExpiresIn, err)

	who, err := accounts.Token(ctx, tokens.AccessToken)
	fmt.Println(who.UserID == tokens.UserID, who.Role, err)

	err = accounts.Revoke(ctx, who.UserID, who.SessionID)
	_, refused := accounts.Token(ctx, tokens.AccessToken)
	fmt.Println(err, refused)
	// Output:
	// +12025550123 <nil>
	// true 15m0s <nil>
	// true user <nil>
	// <nil> token_revoked: This session was ended.
}
