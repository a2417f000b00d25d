package auth

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// RotateKeys makes the announced signing key the current one and announces the
// next; the one that signed so far verifies until its last token has ended. Of
// several calls at the same moment, on whatever node, one rotates for all.
func (p *Provider) RotateKeys(ctx context.Context) error { return p.keys.rotate(ctx, false) }

// rotate rotates; ifDue, only when the keys are old enough.
func (k *keyring) rotate(ctx context.Context, ifDue bool) error {
	unlock, err := k.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	var meant string // the key that this call announced to be made current
	for {
		set, err := k.read(ctx)
		if err != nil {
			return err
		}
		now := k.Now().UTC().Truncate(time.Microsecond)
		next := slices.Clone(set.stored)
		announced := slices.IndexFunc(next, func(s SigningKey) bool { return s.State == KeyAnnounced })
		switch {
		case announced < 0:
			return fmt.Errorf("auth: rotate: no signing key is announced")
		case meant != "" && next[announced].ID != meant:
			return nil // another node did it meanwhile
		// The next key is announced when one becomes current, so its age is the
		// time for which the current one has signed.
		case ifDue && (k.RotateEvery < 0 || now.Sub(next[announced].CreatedAt) < k.RotateEvery):
			return k.prune(ctx, set, now)
		}
		meant = next[announced].ID
		for i := range next {
			switch next[i].State {
			case KeyCurrent:
				next[i].State, next[i].RetiredAt = KeyRetired, now
			case KeyAnnounced:
				next[i].State = KeyCurrent
			}
		}
		fresh, err := k.generate(ctx, KeyAnnounced)
		if err != nil {
			return fmt.Errorf("auth: rotate: %w", err)
		}
		next = slices.DeleteFunc(append(next, fresh), func(s SigningKey) bool { return ended(s, now) })
		swapped, err := k.Store.SwapSigningKeys(ctx, set.stored, next)
		if err != nil {
			return fmt.Errorf("auth: rotate: %w", err)
		}
		if swapped {
			k.Logger.InfoContext(ctx, "signing keys rotated", "current", meant, "announced", fresh.ID)
			_, err := k.read(ctx)
			return err
		}
	}
}

// prune drops keys whose last token has ended. When another node changes the
// keys meanwhile, that is for the next time.
func (k *keyring) prune(ctx context.Context, set *keySet, now time.Time) error {
	next := slices.DeleteFunc(slices.Clone(set.stored), func(s SigningKey) bool { return ended(s, now) })
	if len(next) == len(set.stored) {
		return nil
	}
	if _, err := k.Store.SwapSigningKeys(ctx, set.stored, next); err != nil {
		return fmt.Errorf("auth: prune signing keys: %w", err)
	}
	_, err := k.read(ctx)
	return err
}
