package pgurl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// wordsOf are what libpq and pgx take for a parameter that has a few values, nil for another one. With anything
// else they refuse the URL, also if it is empty.
func wordsOf(name string) []string {
	switch name {
	case "channel_binding", "gssencmode":
		return []string{"disable", "prefer", "require"}
	case "load_balance_hosts":
		return []string{"disable", "random"}
	case "max_protocol_version", "min_protocol_version":
		return []string{"3.0", "3.2", "latest"}
	case "ssl_max_protocol_version", "ssl_min_protocol_version":
		return tlsVersions
	case "sslcertmode":
		return []string{"disable", "allow", "require"}
	case "sslmode":
		return []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	case "sslnegotiation":
		return []string{"postgres", "direct"}
	case "target_session_attrs":
		return []string{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}
	}
	return nil
}

var tlsVersions = []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}

// numbers are the parameters whose value is a whole number.
var numbers = []string{"connect_timeout", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "tcp_user_timeout"}

// ways are the methods that require_auth may name.
var ways = []string{"none", "password", "md5", "gss", "sspi", "scram-sha-256", "oauth"}

// longestSocket is what the path of a socket may have at most: 108 bytes with the NUL behind it.
const longestSocket = 107

// checkUse refuses what can be read and what no client can use: with that, nobody gets as far as a server.
// Nothing of a value is repeated.
func (u URL) checkUse() error {
	if err := u.harm(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(u.said)) {
		if known := misspelt(name); known != "" {
			return fmt.Errorf("has a parameter that libpq does not know: is %s meant?", known) // a name may be a piece of a password
		}
		if err := checkValue(name, u.said[name]); err != nil {
			return err
		}
	}
	for _, s := range u.servers {
		if s.IsSocket() && len(socketIn(s.Host, s.PortOr()).Name) > longestSocket {
			return fmt.Errorf("leads to a socket whose path is longer than %d bytes (make the directory's path shorter)", longestSocket)
		}
	}
	return u.checkTogether()
}

func checkValue(name, value string) error {
	known := wordsOf(name)
	switch {
	case name == "ssl":
		return fmt.Errorf("has a parameter ssl that says nothing sp knows (sslmode is one of %s)", strings.Join(wordsOf("sslmode"), ", "))
	case known != nil && !slices.Contains(known, value) && !(known[0] == tlsVersions[0] && isTLSVersion(value)):
		return fmt.Errorf("has a parameter %s that is none of %s", name, strings.Join(known, ", "))
	case slices.Contains(numbers, name) && !isWhole(value):
		return fmt.Errorf("has a parameter %s that is no whole number", name)
	case name == "replication" && !slices.Contains([]string{"", "false", "off", "no", "0"}, value):
		return errors.New("has a parameter replication, with which a server takes a client for a standby")
	case name == "client_encoding" && value != "" && !isEncoding(value):
		return errors.New("has a parameter client_encoding that is none of PostgreSQL's (UTF8, LATIN1 ...)")
	case name == "require_auth":
		return checkWays(value)
	case name == "options":
		return checkOptions(value)
	}
	return nil
}

// encodings are the names of PostgreSQL's character sets, those that libpq adds among them.
// https://www.postgresql.org/docs/current/multibyte.html#MULTIBYTE-CHARSET-SUPPORTED
const encodings = "auto abc alt big5 euccn eucjis2004 eucjp euckr euctw gb18030 gbk iso88591 iso885910 iso885913 iso885914 iso885915 " +
	"iso885916 iso88592 iso88593 iso88594 iso88595 iso88596 iso88597 iso88598 iso88599 johab koi8 koi8r koi8u latin1 latin10 latin2 latin3 latin4 latin5 " +
	"latin6 latin7 latin8 latin9 mskanji muleinternal shiftjis shiftjis2004 sjis sqlascii tcvn tcvn5712 uhc unicode utf8 vscii win win1250 win1251 win1252 " +
	"win1253 win1254 win1255 win1256 win1257 win1258 win866 win874 win932 win936 win949 win950 windows1250 windows1251 windows1252 windows1253 windows1254 " +
	"windows1255 windows1256 windows1257 windows1258 windows866 windows874 windows932 windows936 windows949 windows950"

// isEncoding takes what a server does: it looks at letters and digits alone, in any case.
func isEncoding(name string) bool {
	return slices.Contains(strings.Fields(encodings), strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name)))
}

func isWhole(value string) bool {
	_, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32)
	return err == nil
}

// isTLSVersion takes what libpq does: none, and one in any case.
func isTLSVersion(value string) bool {
	return value == "" || slices.ContainsFunc(tlsVersions, func(known string) bool { return strings.EqualFold(known, value) })
}

// checkWays refuses a list of methods that libpq does: one that is none, and one in which some are wanted
// and some are not.
func checkWays(list string) error {
	not := strings.HasPrefix(list, "!")
	for word := range strings.SplitSeq(list, ",") {
		way, isNot := strings.CutPrefix(word, "!")
		if list != "" && (isNot != not || !slices.Contains(ways, way)) {
			return fmt.Errorf("has a parameter require_auth that is no list of %s, all with a ! or none", strings.Join(ways, ", "))
		}
	}
	return nil
}

// checkOptions refuses a -c without NAME=VALUE, with which a server ends the login.
func checkOptions(options string) error {
	said := strings.Fields(options)
	for i, word := range said {
		setting, isSetting := strings.CutPrefix(word, "-c")
		if isSetting && setting == "" && i+1 < len(said) {
			setting = said[i+1]
		}
		if isSetting && !strings.Contains(setting, "=") {
			return errors.New("has a parameter options with a -c that no NAME=VALUE follows")
		}
	}
	return nil
}

// checkTogether refuses parameters of which one forbids what the other demands.
func (u URL) checkTogether() error {
	mode, min, max := u.said["sslmode"], u.said["ssl_min_protocol_version"], u.said["ssl_max_protocol_version"]
	isStrong := slices.Contains([]string{"require", "verify-ca", "verify-full"}, mode)
	switch {
	case u.said["sslrootcert"] == "system" && mode != "" && mode != "verify-full":
		return errors.New("has sslrootcert=system, which demands sslmode=verify-full")
	case u.said["sslnegotiation"] == "direct" && !isStrong:
		return errors.New("has sslnegotiation=direct, which demands sslmode=require or a stronger one")
	case u.said["channel_binding"] == "require" && mode == "disable":
		return errors.New("has channel_binding=require, for which there is TLS, and sslmode=disable")
	case min != "" && max != "" && strings.ToLower(min) > strings.ToLower(max):
		return errors.New("has an ssl_min_protocol_version above its ssl_max_protocol_version")
	case u.said["min_protocol_version"] > u.said["max_protocol_version"] && u.said["max_protocol_version"] != "":
		return errors.New("has a min_protocol_version above its max_protocol_version")
	}
	return nil
}
