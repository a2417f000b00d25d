package pgbus_test

import (
	"fmt"

	"github.com/wigwag-chat/wigwag/transport/bus/pgbus"
)

func Example() {
	b, err := pgbus.New("postgres://wigwag@db.example/wigwag", pgbus.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	fmt.Printf("%T\n", b) // the Bus of a wigwag.Config
	// Output: *pgbus.Bus
}
