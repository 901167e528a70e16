// Package localca makes certificates for a server on this machine, signed by a
// certificate authority of its own, for clients whose base URL cannot be set and that
// insist on https://api.cloudflare.com.
//
// The authority is good for the names of this machine, api.cloudflare.com and the
// names that were asked for, and for nothing else: a client that trusts it cannot be
// deceived about any other site. Whoever has its key can deceive such a client about
// those names, so the key is readable by its owner alone.
package localca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Config says where the certificates are and for which names.
type Config struct {
	// Dir is the folder of the certificates, created if it does not exist.
	Dir string
	// Hosts are names and addresses besides localhost, 127.0.0.1, ::1 and
	// api.cloudflare.com.
	Hosts []string
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// Rand is the source of randomness; nil means crypto/rand.
	Rand io.Reader
}

// Certificates are what a server needs and what its clients need.
type Certificates struct {
	// TLS is the server's configuration.
	TLS *tls.Config
	// CAPath is the file of the authority's certificate, in PEM. Clients are told to
	// trust it: NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, curl --cacert.
	CAPath string
	// CA is that certificate.
	CA *x509.Certificate
}

const (
	caLife   = 10 * 365 * 24 * time.Hour
	leafLife = 365 * 24 * time.Hour
	// renewal is how long before their end certificates are made anew.
	renewal = 30 * 24 * time.Hour
)

// Load returns the folder's certificates. It makes what is missing, about to expire or
// not good for the hosts.
func Load(cfg Config) (*Certificates, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	certificates, err := cfg.load()
	if err != nil {
		return nil, fmt.Errorf("local certificates in %s: %w", cfg.Dir, err)
	}
	return certificates, nil
}

func (cfg Config) load() (*Certificates, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	ca, err := cfg.pair("ca-key.pem", cfg.caGood, cfg.newCA)
	if err != nil {
		return nil, err
	}
	leaf, err := cfg.pair("server-key.pem",
		func(cert *x509.Certificate) bool { return cfg.leafGood(cert, ca.Leaf) },
		func() (*pair, error) { return cfg.newLeaf(ca) })
	if err != nil {
		return nil, err
	}
	caPath := filepath.Join(cfg.Dir, "ca.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Leaf.Raw})
	if old, err := os.ReadFile(caPath); err != nil || string(old) != string(public) {
		if err := writeFile(caPath, public); err != nil {
			return nil, err
		}
	}
	return &Certificates{
		CAPath: caPath, CA: ca.Leaf,
		TLS: &tls.Config{
			Certificates: []tls.Certificate{leaf.Certificate},
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"http/1.1"},
		},
	}, nil
}

// pair is a certificate and its key, which share a file so that neither is ever there
// without the other.
type pair struct{ tls.Certificate }

// pair returns what a file holds, if it is good, or else makes it.
func (cfg Config) pair(name string, good func(*x509.Certificate) bool, fresh func() (*pair, error)) (*pair, error) {
	path := filepath.Join(cfg.Dir, name)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// A file that cannot be read as a pair is one to replace.
	if cert, err := tls.X509KeyPair(data, data); err == nil && good(cert.Leaf) {
		return &pair{cert}, nil
	}
	p, err := fresh()
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(p.PrivateKey)
	if err != nil {
		return nil, err
	}
	data = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, der := range p.Certificate.Certificate {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return p, writeFile(path, data)
}

// writeFile replaces a file as a whole; it is its owner's alone.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// names returns the names and addresses to certify.
func (cfg Config) names() (names []string, addrs []net.IP) {
	names = []string{"localhost", "api.cloudflare.com"}
	addrs = []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}
	for _, host := range cfg.Hosts {
		ip := net.ParseIP(host)
		switch {
		case ip == nil && !slices.Contains(names, host):
			names = append(names, host)
		case ip != nil && !slices.ContainsFunc(addrs, ip.Equal):
			if v4 := ip.To4(); v4 != nil {
				ip = v4
			}
			addrs = append(addrs, ip)
		}
	}
	return names, addrs
}

func (cfg Config) fresh(cert *x509.Certificate) bool {
	now := cfg.Now()
	return !now.Before(cert.NotBefore) && now.Add(renewal).Before(cert.NotAfter)
}

func (cfg Config) caGood(cert *x509.Certificate) bool {
	names, addrs := cfg.names()
	for _, name := range names {
		if !slices.Contains(cert.PermittedDNSDomains, name) {
			return false
		}
	}
	for _, addr := range addrs {
		if !slices.ContainsFunc(cert.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(addr) }) {
			return false
		}
	}
	return cert.IsCA && cfg.fresh(cert)
}

func (cfg Config) leafGood(cert, ca *x509.Certificate) bool {
	names, addrs := cfg.names()
	for _, addr := range addrs {
		names = append(names, addr.String())
	}
	for _, name := range names {
		if cert.VerifyHostname(name) != nil {
			return false
		}
	}
	return cert.CheckSignatureFrom(ca) == nil && cfg.fresh(cert)
}

func (cfg Config) newCA() (*pair, error) {
	names, addrs := cfg.names()
	template := &x509.Certificate{
		Subject:                     pkix.Name{Organization: []string{"Skylite"}, CommonName: "Skylite local CA"},
		NotAfter:                    cfg.Now().Add(caLife),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names,
	}
	for _, addr := range addrs {
		bits := 8 * len(addr)
		template.PermittedIPRanges = append(template.PermittedIPRanges,
			&net.IPNet{IP: addr, Mask: net.CIDRMask(bits, bits)})
	}
	return cfg.sign(template, nil)
}

func (cfg Config) newLeaf(ca *pair) (*pair, error) {
	names, addrs := cfg.names()
	return cfg.sign(&x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Skylite"}, CommonName: "Skylite local server"},
		NotAfter:              cfg.Now().Add(leafLife),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              names,
		IPAddresses:           addrs,
	}, ca)
}

// sign makes a key and its certificate, signed by a parent or, if that is nil, by
// itself.
func (cfg Config) sign(template *x509.Certificate, parent *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), cfg.Rand)
	if err != nil {
		return nil, err
	}
	template.SerialNumber, err = rand.Int(cfg.Rand, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	// Clocks differ, in virtual machines above all.
	template.NotBefore = cfg.Now().Add(-time.Hour)
	issuer, signer := template, crypto.PrivateKey(key)
	if parent != nil {
		issuer, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(cfg.Rand, template, issuer, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &pair{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}, nil
}
