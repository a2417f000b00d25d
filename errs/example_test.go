package errs_test

import (
	"errors"
	"fmt"

	"github.com/wigwag-chat/wigwag/errs"
)

var errChatNotFound = errs.New(errs.NotFound, "chat_not_found", "This chat does not exist.")

func Example() {
	err := fmt.Errorf("open chat 7: %w", errChatNotFound.With("chatId", "7"))

	fmt.Println(errors.Is(err, errChatNotFound), errors.Is(err, errs.NotFound), errors.Is(err, errs.Forbidden))
	fmt.Println(errs.KindOf(err), errs.CodeOf(err))
	fmt.Println(errs.CodeOf(errors.New("disk on fire")))
	// Output:
	// true true false
	// not_found chat_not_found
	// internal
}
