package e164_test

import (
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/phone/e164"
)

func Example() {
	parser := e164.Parser{DefaultRegion: "US"}

	number, err := parser.Parse("(415) 555-0100", "")
	fmt.Println(number, err, parser.Prefix(number))

	number, err = parser.Parse("030 123456", "DE")
	fmt.Println(number, err)

	_, err = parser.Parse("+1 555 0100", "") // seven digits, and no such area code
	fmt.Println(errors.Is(err, e164.ErrInvalidNumber), errs.CodeOf(err))
	// Output:
	// +14155550100 <nil> +1415
	// +4930123456 <nil>
	// true invalid_phone_number
}
