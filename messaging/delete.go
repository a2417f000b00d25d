package messaging

import "context"

// Delete implements Service.
func (m *Messenger) Delete(ctx context.Context, r DeleteRequest) error {
	if err := checkMessage(r.UserID, r.ChatID, r.MessageID); err != nil {
		return err
	}
	var changed Changed
	var err error
	if r.ForEveryone {
		changed, err = m.store.Delete(ctx, DeleteMessage{
			ChatID: r.ChatID, MessageID: r.MessageID, ActorID: r.UserID, At: m.time(),
		})
		err = m.failed(err, r.ChatID)
	} else {
		changed, err = m.store.Hide(ctx, HideMessage{
			ChatID: r.ChatID, MessageID: r.MessageID, UserID: r.UserID, At: m.time(),
		})
		err = m.failed(err, "", r.UserID)
	}
	if err != nil {
		return err
	}
	m.publishChanged(changed)
	return nil
}
