package keys_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/wigwag-chat/wigwag/keys"
)

// A host reads its key file, or makes one at the very first start.
func Example() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "host.key")

	ring, err := keys.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Println("first start")
		ring, err = keys.CreateFile(path, nil)
	}
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	sealed, err := ring.Wrap(ctx, []byte("a chat's key"), []byte("chat 7"))
	if err != nil {
		log.Fatal(err)
	}
	again, err := keys.ReadFile(path) // the next start
	if err != nil {
		log.Fatal(err)
	}
	plaintext, err := again.Unwrap(ctx, sealed, []byte("chat 7"))
	fmt.Println(string(plaintext), err)
	_, err = again.Unwrap(ctx, sealed, []byte("chat 8"))
	fmt.Println(errors.Is(err, keys.ErrCorrupt))
	// Output:
	// first start
	// a chat's key <nil>
	// true
}

// A data key seals many values; the additional data says where each belongs.
func ExampleBox() {
	box, err := keys.NewBox(make([]byte, 32)) // from Vault.Secret or KMS.Unwrap, never zeros
	if err != nil {
		log.Fatal(err)
	}
	sealed := box.Seal(nil, []byte("hello"), []byte("message 1, revision 0"))
	plaintext, err := box.Open(nil, sealed, []byte("message 1, revision 0"))
	fmt.Println(string(plaintext), err, len(sealed) == len("hello")+keys.BoxOverhead)
	// Output: hello <nil> true
}
