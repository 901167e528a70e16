package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkSite refuses what a web page may have sent: a page can make a browser on this
// machine send requests to a loopback address, with any name that its owner's DNS
// gives that address.
//
// The content type is not asked for, since curl sends a form's: a page cannot do
// without the Origin or Sec-Fetch-Site header that give it away.
func (s *Server) checkSite(r *http.Request) *apiError {
	const refused = "Unauthorized to access requested resource: "
	if !s.hostAllowed(r.Host) {
		return fail(http.StatusForbidden, codeAccess, refused+"this server does not go by the name in the Host header")
	}
	origin := r.Header.Get("Origin")
	if s.originAllowed(origin) {
		return nil
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case len(r.Header.Values("Origin")) > 0 && !sameOrigin(origin, r.Host):
		return fail(http.StatusForbidden, codeAccess, refused+"requests from other origins are not accepted")
	case site != "" && site != "same-origin" && site != "none":
		return fail(http.StatusForbidden, codeAccess, refused+"requests from other sites are not accepted")
	}
	return nil
}

func (s *Server) originAllowed(origin string) bool {
	return origin != "" && slices.Contains(s.cfg.Origins, origin)
}

// shareWith tells a browser that a configured origin may read the answer, and reports
// whether that was all that the request asked.
func (s *Server) shareWith(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if !s.originAllowed(origin) {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Auth-Email, X-Auth-Key")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// hostAllowed reports whether the server goes by a name. A token makes the question
// idle: who rebinds a name to this address does not have it.
func (s *Server) hostAllowed(host string) bool {
	if s.cfg.Token != "" {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().IsLoopback() || s.knownHost(name)
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") ||
		name == "api.cloudflare.com" || s.knownHost(name)
}

func (s *Server) knownHost(name string) bool {
	return slices.ContainsFunc(s.cfg.Hosts, func(host string) bool { return strings.EqualFold(host, name) })
}

// authenticate checks the credentials: their form always, themselves if the server has
// a token.
func (s *Server) authenticate(r *http.Request, path string) *apiError {
	credential, err := credentialOf(r.Header)
	if err != nil {
		return err
	}
	if s.cfg.Token == "" {
		return nil
	}
	// Hashes have one length, so the time taken says nothing of the token's.
	given := sha256.Sum256([]byte(credential))
	switch {
	case subtle.ConstantTimeCompare(given[:], s.token[:]) == 1:
		return nil
	case strings.HasSuffix(path, "/tokens/verify"):
		return fail(http.StatusUnauthorized, codeToken, "Invalid API Token")
	}
	return fail(http.StatusUnauthorized, codeUnauthorized, "Authentication error")
}

func credentialOf(h http.Header) (string, *apiError) {
	if h.Get("Authorization") != "" || len(h.Values("Authorization")) > 0 {
		const scheme = "Bearer "
		value := h.Get("Authorization")
		if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) || !credentialOK(value[len(scheme):]) {
			return "", badHeader(codeBearer, "Invalid format for Authorization header")
		}
		return value[len(scheme):], nil
	}
	email, key := h.Get("X-Auth-Email"), h.Get("X-Auth-Key")
	switch {
	case email == "" || key == "":
		return "", fail(http.StatusBadRequest, codeNoAuth, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
	case !credentialOK(key):
		return "", badHeader(codeKey, "Invalid format for X-Auth-Key header")
	}
	return key, nil
}

func badHeader(code int, text string) *apiError {
	return &apiError{status: http.StatusBadRequest, messages: []message{{
		Code: codeHeaders, Message: "Invalid request headers", Chain: []message{{Code: code, Message: text}},
	}}}
}

// credentialOK reports whether a token has only characters that tokens have.
func credentialOK(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' })
}
