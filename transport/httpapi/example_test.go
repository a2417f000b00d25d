package httpapi_test

import (
	"fmt"

	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/httpapi"
)

func ExampleFromError() {
	status, failure := httpapi.FromError(fmt.Errorf("open chat 7: %w", messaging.ErrChatNotFound))
	fmt.Println(status, failure.Code, failure.Message)

	status, failure = httpapi.FromError(fmt.Errorf("disk on fire"))
	fmt.Println(status, failure.Code)
	// Output:
	// 404 chat_not_found This chat does not exist.
	// 500 internal
}
