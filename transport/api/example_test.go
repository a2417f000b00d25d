package api_test

import (
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

func ExampleDecode() {
	var body api.SendMessage
	err := api.Decode([]byte(`{"text":"Hello","txet":"typo"}`), &body)
	f := api.FromError(err)
	fmt.Println(errs.KindOf(err), f.Code, f.Details["field"])

	err = api.Decode([]byte(`{"text":"Hello"}`), &body)
	fmt.Println(body.Text, err)
	// Output:
	// invalid unknown_field txet
	// Hello <nil>
}
