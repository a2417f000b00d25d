package faulty

import (
	"sync"

	"github.com/wigwag-chat/wigwag/messaging"
)

// memo remembers values by key, for concurrent use.
type memo[V any] struct {
	mu sync.Mutex
	m  map[string]V
}

func (m *memo[V]) get(key string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.m[key]
	return v, ok
}

func (m *memo[V]) set(key string, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil {
		m.m = make(map[string]V)
	}
	m.m[key] = v
}

// owners remembers who made which chat with whom.
type owners struct{ chats *memo[messaging.NewChat] }

func newOwners() owners { return owners{new(memo[messaging.NewChat])} }

func (o owners) note(n messaging.NewChat) { o.chats.set(n.ID, n) }

func (o owners) of(chat string) string {
	n, _ := o.chats.get(chat)
	return n.CreatedBy
}

// was reports whether somebody was among the first members.
func (o owners) was(user, chat string) bool {
	n, _ := o.chats.get(chat)
	for _, m := range n.Members {
		if m.UserID == user {
			return true
		}
	}
	return false
}
