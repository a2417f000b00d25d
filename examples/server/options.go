package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
)

// options are the flags, checked.
type options struct {
	addr      string
	db        string
	media     string
	local     bool // only this machine reaches addr
	dev       bool
	unlimited bool
	alone     bool // the only server on its database
	admins    []string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var limits string
	dev := devFlag("auto")
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` to listen on")
	f.StringVar(&o.db, "db", "sqlite:wigwag.db", "where everything is kept: sqlite:FILE, memory: or a postgres:// `URL`")
	f.StringVar(&o.media, "media", "wigwag-media", "`folder` for uploaded files")
	f.Var(&dev, "dev", "development mode, in which codes are shown at /dev/outbox: auto (on a loopback address only), true, false, or force")
	f.StringVar(&limits, "limits", "on", "off lifts request, frame and connection limits for load tests, in development mode only")
	f.BoolVar(&o.alone, "alone", false, "on PostgreSQL: this is the only server on the database, which saves it the work of telling others")
	f.Func("admin", "phone number or e-mail `address` that gets the admin role at sign-in; may be repeated", func(v string) error {
		o.admins = append(o.admins, v)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return options{}, flag.ErrHelp // the flag set has told what is wrong
	}
	if f.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if _, _, err := net.SplitHostPort(o.addr); err != nil {
		return options{}, fmt.Errorf("-addr: %w", err)
	}
	o.local = isLocalName(o.addr)
	switch dev {
	case "auto":
		o.dev = o.local
	case "true":
		if !o.local {
			return options{}, errors.New("-dev shows everybody's codes to everybody: on an address that is not loopback only -dev=force turns it on")
		}
		o.dev = true
	case "force":
		o.dev = true
	case "false":
	default:
		return options{}, fmt.Errorf("-dev is auto, true, false or force, not %q", dev)
	}
	switch limits {
	case "on":
	case "off":
		if !o.dev {
			return options{}, errors.New("-limits=off needs development mode")
		}
		o.unlimited = true
	default:
		return options{}, fmt.Errorf("-limits is on or off, not %q", limits)
	}
	return o, nil
}

// devFlag is a flag that may stand without a value: -dev is -dev=true.
type devFlag string

func (d *devFlag) String() string     { return string(*d) }
func (d *devFlag) Set(v string) error { *d = devFlag(v); return nil }
func (d *devFlag) IsBoolFlag() bool   { return true }

// isLocalName reports whether a host, with a port or without, is this machine by
// a loopback address or as localhost.
func isLocalName(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
