package cli

import (
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

// Proxy returns which proxy the environment names for a URL: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or
// the same in lower case.
func (c *Context) Proxy() (func(*url.URL) (*url.URL, error), error) {
	config := httpproxy.Config{NoProxy: c.either("no_proxy", "NO_PROXY")}
	for _, proxy := range []struct {
		into         *string
		lower, upper string
	}{{&config.HTTPSProxy, "https_proxy", "HTTPS_PROXY"}, {&config.HTTPProxy, "http_proxy", "HTTP_PROXY"}} {
		*proxy.into = c.either(proxy.lower, proxy.upper)
		if _, err := url.Parse("http://" + *proxy.into); err != nil {
			if _, err := url.Parse(*proxy.into); err != nil { // it may hold a password
				return nil, Usage("%s is not the URL of a proxy", proxy.upper)
			}
		}
	}
	return config.ProxyFunc(), nil
}

// either returns the first of two variables that is set and not empty.
func (c *Context) either(names ...string) string {
	for _, name := range names {
		if value := c.Env(name); value != nil && *value != "" {
			return *value
		}
	}
	return ""
}
