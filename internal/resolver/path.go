package resolver

import "strings"

// isPath tells whether a value is a path to a profile.yaml and not a profile's
// name. No name that sp gives looks like one, so nothing has to exist to decide it.
func isPath(value string) bool {
	lower := strings.ToLower(value)
	return strings.Contains(value, "/") ||
		strings.HasSuffix(lower, ".yaml") || strings.HasSuffix(lower, ".yml") ||
		strings.HasPrefix(value, ".") || strings.HasPrefix(value, "~")
}

// isURL tells whether a value is a URL, given where a profile belongs. By its
// slashes it would be a path, and the error about the missing file would print
// its password. `./` before it makes it a path all the same.
func isURL(value string) bool {
	scheme, _, found := strings.Cut(value, "://")
	return found && !strings.Contains(scheme, "/")
}
