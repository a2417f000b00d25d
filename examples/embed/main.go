// Command embed adds chat to a web program that has users of its own.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
)

func who(_ context.Context, token string) (auth.Identity, error) {
	logins := map[string]string{"s3cret-a": "ann", "s3cret-b": "bob"} // the program's own
	if user, ok := logins[token]; ok {
		return auth.Identity{UserID: user, SessionID: "login-of-" + user}, nil
	}
	return auth.Identity{}, auth.ErrUnauthenticated
}

func main() {
	store := must(sqlite.Open(context.Background(), "embed.db", sqlite.Options{Migrate: true}))
	ring := keys.NewRing(must(keys.ParseKey(os.Getenv("CHAT_KEY")))) // 32 random bytes in base64
	app := must(wigwag.Open(context.Background(), wigwag.Config{Store: store, Keys: ring, Authenticator: auth.TokenFunc(who)}))
	app.Start()
	http.Handle("/chat/", http.StripPrefix("/chat", app.Handler()))
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
