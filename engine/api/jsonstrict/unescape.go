package jsonstrict

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// String returns the text of a string value, given its bytes as Value returned them. It is false when the value is no
// string, or holds an escaped half of a surrogate pair: that has no UTF-8 form, and two of them must not become equal.
func String(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	raw := value[1 : len(value)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), true
	}
	plain := appendUnescaped(make([]byte, 0, len(raw)), raw)
	if !utf8.Valid(plain) {
		return "", false
	}
	return string(plain), true
}

// appendUnescaped appends the text behind the escapes of raw, which the Scanner has checked. A lone half of a surrogate
// pair becomes its three-byte form (which is no valid UTF-8), so that different names stay different.
func appendUnescaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:i]...)
		c := raw[i+1]
		raw = raw[i+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(raw)
			raw = raw[4:]
			if utf16.IsSurrogate(r) {
				if pair := pairOf(r, raw); pair >= 0 {
					dst, raw = utf8.AppendRune(dst, pair), raw[6:]
					continue
				}
				dst = append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
				continue
			}
			dst = utf8.AppendRune(dst, r)
		default: // the quote, the backslash, the slash
			dst = append(dst, c)
		}
	}
	return dst
}

// pairOf combines a surrogate with the escape that follows it; -1 when that is not its other half.
func pairOf(r rune, raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	if pair := utf16.DecodeRune(r, hex4(raw[2:])); pair != utf8.RuneError {
		return pair
	}
	return -1
}

func hex4(raw []byte) rune {
	var r rune
	for _, c := range raw[:4] {
		d, _ := hexDigit(c) // the Scanner has seen to it
		r = r<<4 | d
	}
	return r
}
