package users_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/users"
)

func TestUsernames(t *testing.T) {
	p := newProfiles(t, nil)
	good := map[string]string{
		"ada": "ada", "Ada.L_9": "Ada.L_9", "1.2": "1.2", "a12": "a12", "ａｄａ": "ada",
		strings.Repeat("x", 50): strings.Repeat("x", 50), "___": "___", "①②a": "12a",
	}
	n := 0
	for in, want := range good {
		n++
		p := newProfiles(t, nil)
		id := fmt.Sprint("u", n)
		create(t, p, id, in, "")
		if u, err := p.User(t.Context(), "", id); err != nil || u.Username != want {
			t.Errorf("%q became %q, %v; want %q", in, u.Username, err, want)
		}
	}
	for _, bad := range []string{
		"ab", strings.Repeat("x", 51), "123", "１２３", "a b", "ä.b", "a-b", "a@b", "+15550100", "abc\x00", "abc\xff",
		"ада", strings.Repeat("ａ", 51), strings.Repeat("x", 1<<20), "a\u0301bc", "abc\n",
	} {
		if err := p.Check(bad, ""); !errors.Is(err, users.ErrUsername) || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	for _, reserved := range []string{"admin", "ADMIN", "Ａdmin", "wigwag", "everyone"} {
		if err := p.Check(reserved, ""); !errors.Is(err, users.ErrUsernameTaken) {
			t.Errorf("%q: %v", reserved, err)
		}
	}
	own := newProfiles(t, func(c *users.Config) { c.Reserved = []string{"Boss"} })
	if err := own.Check("admin", ""); err != nil {
		t.Errorf("a list of the host's own stands beside ours: %v", err)
	}
	if err := own.Check("bOSS", ""); !errors.Is(err, users.ErrUsernameTaken) {
		t.Errorf("the host's own reserved word: %v", err)
	}
}

func TestFields(t *testing.T) {
	p := newProfiles(t, nil)
	create(t, p, "u", "ada", "Ada")
	long := strings.Repeat("é", 101)
	for _, c := range []struct {
		name string
		u    users.Update
		want error
	}{
		{"blank name", users.Update{DisplayName: ptr(" \t ")}, users.ErrDisplayName},
		{"invisible name", users.Update{DisplayName: ptr("\u200b\u3164")}, users.ErrDisplayName},
		{"no name", users.Update{DisplayName: ptr("")}, users.ErrDisplayName},
		{"long name", users.Update{DisplayName: &long}, users.ErrDisplayName},
		{"two lines", users.Update{DisplayName: ptr("a\nb")}, users.ErrDisplayName},
		{"paragraph separator", users.Update{DisplayName: ptr("a\u2029b")}, users.ErrDisplayName},
		{"turned name", users.Update{DisplayName: ptr("a\u202eb")}, users.ErrDisplayName},
		{"NUL", users.Update{DisplayName: ptr("a\x00")}, users.ErrDisplayName},
		{"not UTF-8", users.Update{DisplayName: ptr("a\xff")}, users.ErrDisplayName},
		{"long full name", users.Update{FullName: &long}, users.ErrFullName},
		{"long bio", users.Update{Bio: ptr(strings.Repeat("é", 501))}, users.ErrBio},
		{"bio with NUL", users.Update{Bio: ptr("a\x00")}, users.ErrBio},
		{"long picture", users.Update{PictureID: ptr(strings.Repeat("p", 129))}, users.ErrPicture},
		{"language", users.Update{Language: ptr("klingonish!")}, users.ErrLanguage},
		{"no such language", users.Update{Language: ptr("xx-QQQQ")}, users.ErrLanguage},
		{"no username", users.Update{Username: ptr("")}, users.ErrUsername},
	} {
		c.u.Bio = cmpOr(c.u.Bio, ptr("must not be stored"))
		if _, err := p.Update(t.Context(), "u", c.u); !errors.Is(err, c.want) || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if u, _ := p.User(t.Context(), "u", "u"); u.Bio != "" || u.DisplayName != "Ada" || !u.UpdatedAt.Equal(start) {
		t.Errorf("a refused update stored something: %+v", u.Profile)
	}
	u, err := p.Update(t.Context(), "u", users.Update{
		Username: ptr("Ada.L"), DisplayName: ptr("  " + long[:200] + " "), FullName: ptr(" Ada 👩‍🔬 "), Bio: ptr("one\n\ttwo"),
		PictureID: ptr("picture-1"), Language: ptr("pt_br"),
	})
	if err != nil || u.Username != "Ada.L" || u.DisplayName != long[:200] || u.FullName != "Ada 👩‍🔬" || u.Language != "pt-BR" ||
		u.Bio != "one\n\ttwo" || u.PictureID != "picture-1" || !u.CreatedAt.Equal(start) || !u.UpdatedAt.After(start) {
		t.Errorf("%+v, %v", u.Profile, err)
	}
	empty := users.Update{FullName: ptr(""), Bio: ptr(""), PictureID: ptr(""), Language: ptr("")}
	if u, err = p.Update(t.Context(), "u", empty); err != nil || u.FullName+u.Bio+u.PictureID+u.Language != "" || u.Username != "Ada.L" {
		t.Errorf("cleared: %+v, %v", u.Profile, err)
	}
}

func cmpOr(a, b *string) *string {
	if a != nil {
		return a
	}
	return b
}

// widen turns ASCII into its full-width forms.
func widen(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xfee0
		}
		return r
	}, s)
}

func TestUsernameFoldingProperty(t *testing.T) {
	p := gopter.NewProperties(nil)
	p.Property("a username is one in every case and width", prop.ForAll(
		func(name string, upper, wide bool) (string, error) {
			profiles := newProfiles(t, func(c *users.Config) { c.Reserved = []string{} })
			if err := profiles.Create(t.Context(), "u", name, ""); err != nil {
				return "", err
			}
			other := name
			if upper {
				other = strings.ToUpper(other)
			}
			if wide {
				other = widen(other)
			}
			id, err := profiles.IDByUsername(t.Context(), other)
			if id != "u" {
				return fmt.Sprintf("%q not found as %q: %v", name, other, err), nil
			}
			if err := profiles.Create(t.Context(), "v", other, ""); !errors.Is(err, users.ErrUsernameTaken) {
				return fmt.Sprintf("%q claimed again as %q: %v", name, other, err), nil
			}
			return "", nil
		},
		gen.RegexMatch(`[a-zA-Z_.][a-zA-Z0-9_.]{2,49}`), gen.Bool(), gen.Bool(),
	))
	p.TestingRun(t)
}

// FuzzUsername: whatever comes in, what is accepted is plain and finds itself again.
func FuzzUsername(f *testing.F) {
	for _, s := range []string{"", "ada", "Ａｄａ", "123", "a\u0301b", "ﬃx", "\xff\xfe\xfd", "ⅣⅣa", "…", "Å.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := newProfiles(t, nil)
		err := p.Create(t.Context(), "u", s, "")
		if s == "" {
			return
		}
		if err != nil {
			if !errors.Is(err, users.ErrUsername) && !errors.Is(err, users.ErrUsernameTaken) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		u, err := p.FindByUsername(t.Context(), "", strings.ToUpper(s))
		if err != nil && strings.ToUpper(s) != s {
			u, err = p.FindByUsername(t.Context(), "", s)
		}
		if err != nil || utf8.RuneCountInString(u.Username) != len(u.Username) || len(u.Username) < 3 || len(u.Username) > 50 {
			t.Fatalf("%q stored as %q, %v", s, u.Username, err)
		}
	})
}
