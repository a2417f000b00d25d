// Package e164 parses phone numbers by libphonenumber's rules.
package e164

import "github.com/wigwag-chat/wigwag/errs"

var ErrInvalidNumber = errs.Field("phoneNumber", "invalid_phone_number", "This is not a valid phone number.")

type Parser struct{ DefaultRegion string }

func (p Parser) Parse(number, region string) (e164 string, err error) { panic("soon") }
func (p Parser) Prefix(e164 string) string                            { panic("soon") }
