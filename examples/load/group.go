package main

import "context"

// group lets some members of one group write while all are online. Each message
// reaches every member, the sender included.
func (b *bench) group(ctx context.Context) error {
	users, err := b.signUp(ctx, b.opt.members)
	if err != nil {
		return err
	}
	if err := b.checkLimits(ctx, users[0]); err != nil {
		return err
	}
	chat, err := b.api.makeGroup(ctx, "Load", users)
	if err != nil {
		return err
	}
	conns, err := b.connect(ctx, users, len(users))
	if err != nil {
		return err
	}
	t := &traffic{b: b, scan: newScanner(b.mark), fan: int64(len(users))}
	for i, c := range conns {
		t.add(c, users[i], chat, 0, b.opt.senders-1, i < b.opt.senders)
	}
	return b.traffic(ctx, t)
}
