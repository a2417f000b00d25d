package main

import (
	"fmt"
	"strconv"
)

// ms writes a time given in milliseconds with three digits that count.
func ms(v float64) string {
	switch {
	case v >= 10_000:
		return fmt.Sprintf("%.1f s", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	case v >= 10:
		return fmt.Sprintf("%.1f ms", v)
	default:
		return fmt.Sprintf("%.2f ms", v)
	}
}

// count writes a number with commas between thousands.
func count(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	if v > 0 && v < 10 {
		s = strconv.FormatFloat(v, 'f', 1, 64)
	}
	for at := len(s) - 3; at > 0 && v >= 1000; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// size writes bytes in binary units.
func size(v float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for v >= 1024 && len(units) > 1 {
		v, units = v/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %s", v, units[0])
}
