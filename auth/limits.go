package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag-chat/wigwag/internal/limit"
)

// ResendWait is the wait between the first code of a challenge and the second;
// each later one is twice as long: 30 s, 60 s, 120 s, 240 s.
const ResendWait = 30 * time.Second

// maxUserAgent bounds Client.UserAgent, in bytes.
const maxUserAgent = 300

// Limits are what one process allows (AUTH-2, AUTH-4, AUTH-12). Each is a bucket
// that holds so many and refills evenly over its span. Zero means the default,
// a negative number or wait that there is no limit. IPv6 addresses count by their
// /64; without an address nothing is counted by it.
type Limits struct {
	CodesPerNumber int // codes sent to one number a day; 20
	CodesPerIP     int // codes sent for one address a day; 100
	CodesPerPrefix int // codes sent to numbers of one prefix an hour, against SMS pumping; 300

	RequestsPerIP  int // registrations and password resets asked for by one address an hour; 30
	LoginsPerIP    int // sign-ins by password tried by one address a minute; 60
	RefreshesPerIP int // tokens refreshed by one address a minute; 300
	MailsPerEmail  int // mails to one address a day; 10

	// Wrong passwords of one account are free up to a number, 5, then each
	// doubles a wait, from 1 s up to 5 min: nobody is locked out for good.
	// Those of one address are free up to 20.
	FreeFailures, FreeFailuresPerIP int
	FailureWait, MaxFailureWait     time.Duration

	SessionsPerUser int // signed-in devices; one more ends the least recently used; 100
	Keys            int // how many numbers, addresses or accounts each limit remembers; 100,000

	// IPOff and PrefixOff lift every limit by address, and the one by prefix,
	// as a development mode wants it. Those by number, account and session stay.
	IPOff, PrefixOff bool
}

func (l *Limits) defaults() {
	set := func(n *int, value int) { *n = cmp.Or(*n, value) }
	set(&l.CodesPerNumber, 20)
	set(&l.CodesPerIP, 100)
	set(&l.CodesPerPrefix, 300)
	set(&l.RequestsPerIP, 30)
	set(&l.LoginsPerIP, 60)
	set(&l.RefreshesPerIP, 300)
	set(&l.MailsPerEmail, 10)
	set(&l.FreeFailures, 5)
	set(&l.FreeFailuresPerIP, 20)
	l.FailureWait = cmp.Or(l.FailureWait, time.Second)
	l.MaxFailureWait = cmp.Or(l.MaxFailureWait, 5*time.Minute)
	set(&l.SessionsPerUser, 100)
	set(&l.Keys, 100_000)
}

type limits struct {
	number, prefix, codesByIP   *limit.Limiter
	requests, logins, refreshes *limit.Limiter
	mails                       *limit.Limiter
	failures, failuresByIP      *limit.Backoff
	ipOff, prefixOff            bool
	trying                      *sync.Mutex // makes check and count of a try one step
}

func newLimits(l Limits, now func() time.Time) limits {
	opt := limit.Options{Keys: l.Keys, Now: now}
	per := func(n int, d time.Duration) *limit.Limiter {
		return limit.New(limit.Rate{Events: n, Per: d, Burst: n}, opt)
	}
	backoff := func(free int) *limit.Backoff {
		if free < 0 {
			return nil
		}
		return limit.NewBackoff(limit.BackoffRule{Free: free, Base: l.FailureWait, Max: l.MaxFailureWait}, opt)
	}
	const day = 24 * time.Hour
	return limits{
		number: per(l.CodesPerNumber, day), prefix: per(l.CodesPerPrefix, time.Hour), codesByIP: per(l.CodesPerIP, day),
		requests: per(l.RequestsPerIP, time.Hour), logins: per(l.LoginsPerIP, time.Minute),
		refreshes: per(l.RefreshesPerIP, time.Minute), mails: per(l.MailsPerEmail, day),
		failures: backoff(l.FreeFailures), failuresByIP: backoff(l.FreeFailuresPerIP),
		ipOff: l.IPOff, prefixOff: l.PrefixOff, trying: new(sync.Mutex),
	}
}

// byIP is the key of an address, "" for none or where those limits are off.
func (l *limits) byIP(c Client) string {
	addr, err := netip.ParseAddr(c.IP)
	if l.ipOff || err != nil {
		return ""
	}
	if addr = addr.Unmap(); addr.Is6() {
		prefix, _ := addr.WithZone("").Prefix(64) // 64 is in range, always
		return prefix.String()
	}
	return addr.String()
}

// byPrefix is the key of a number's prefix, "" where that limit is off.
func (l *limits) byPrefix(prefix string) string {
	if l.prefixOff {
		return ""
	}
	return prefix
}

// count is one event against one limit. The key "" is never limited.
type count struct {
	limiter *limit.Limiter
	key     string
}

// take counts all events or, when a limit refuses, none. refund takes them back
// unless ctx has ended: who goes away while a text is on its way may have had it
// sent, and would have it sent without end.
func take(ctx context.Context, counts ...count) (refund func(), err error) {
	var taken []count
	giveBack := func() {
		for _, c := range taken {
			c.limiter.Refund(c.key)
		}
	}
	for _, c := range counts {
		if c.key == "" {
			continue
		}
		if err := c.limiter.Allow(c.key); err != nil {
			giveBack()
			return nil, err
		}
		taken = append(taken, c)
	}
	return func() {
		if ctx.Err() == nil {
			giveBack()
		}
	}, nil
}

// try counts a try of a password as wrong unless the account must wait. The
// count comes before the comparison, so that tries at the same moment see it;
// success takes it back.
func (l *limits) try(account string) error {
	l.trying.Lock()
	defer l.trying.Unlock()
	if err := l.failures.Check(account); err != nil {
		return err
	}
	l.failures.Fail(account)
	return nil
}

// digest is a key that remembers nothing readable.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return string(sum[:])
}

// clean returns c as it may be stored: a canonical address or none, and a user
// agent of valid UTF-8 without control characters, cut to its limit.
func (c Client) clean() Client {
	addr, err := netip.ParseAddr(c.IP)
	if c.IP = ""; err == nil {
		c.IP = addr.Unmap().WithZone("").String()
	}
	if len(c.UserAgent) > 8*maxUserAgent { // spare the work
		c.UserAgent = c.UserAgent[:8*maxUserAgent]
	}
	c.UserAgent = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(c.UserAgent, ""))
	if n := maxUserAgent; len(c.UserAgent) > n {
		for !utf8.RuneStart(c.UserAgent[n]) {
			n--
		}
		c.UserAgent = c.UserAgent[:n]
	}
	return c
}
