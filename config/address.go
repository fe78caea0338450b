package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Addresses are nodes, as a setting lists them: host or host:port, separated by commas. It is one text, so that a
// Config can be compared.
type Addresses string

// HostPorts returns the addresses with their ports; those that have none get the default.
func (a Addresses) HostPorts(port int) []string {
	var out []string
	for item := range strings.SplitSeq(string(a), ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		host, given, err := splitHostPort(item)
		if err != nil || given == "" {
			given = strconv.Itoa(port)
		}
		out = append(out, net.JoinHostPort(host, given))
	}
	return out
}

// splitHostPort splits host, host:port, [IPv6]:port or a bare IPv6 address. The port is empty if there is none.
func splitHostPort(text string) (host, port string, err error) {
	if _, err := netip.ParseAddr(text); err == nil || !strings.ContainsRune(text, ':') {
		return text, "", nil
	}
	host, port, err = net.SplitHostPort(text)
	if err != nil {
		return text, "", fmt.Errorf("%s is not host or host:port", quote(text))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return host, "", fmt.Errorf("%s has no port from 1 to 65535 after its colon", quote(text))
	}
	return host, port, nil
}

// parseOptionalAddress reads the name or IP address of one machine, or nothing.
func parseOptionalAddress(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return text, checkHost(text)
}

// parseOptionalIP reads the IP address of one machine, or nothing.
func parseOptionalIP(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return "", fmt.Errorf("%s is not an IP address", quote(text))
	}
	return text, checkHost(text)
}

// checkHost refuses what is not the name or address of a machine, and addresses that stand for all of a machine's.
func checkHost(text string) error {
	if _, err := parseText(text); err != nil {
		return err
	}
	if isWildcard(text) {
		return fmt.Errorf("%s stands for every address of the machine: name one", quote(text))
	}
	odd := func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if _, err := netip.ParseAddr(text); err != nil && strings.ContainsFunc(text, odd) {
		return fmt.Errorf("%s is not the name or IP address of a machine", quote(text))
	}
	return nil
}

func isWildcard(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Unmap().IsUnspecified()
}

// parseAddresses reads items separated by commas, the form that an environment variable can carry.
func parseAddresses(text string) (Addresses, error) {
	if text == "" {
		return "", nil
	}
	items := strings.Split(text, ",")
	for i, item := range items {
		items[i] = strings.TrimSpace(item)
		host, _, err := splitHostPort(items[i])
		if err == nil {
			err = checkHost(host)
		}
		if err != nil {
			return "", fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return Addresses(strings.Join(items, ",")), nil
}

// parseDecimal reads a number such as 8 or 0.5.
func parseDecimal(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is too large", quote(text))
	}
	if err != nil || strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%s is not a number such as 8 or 0.5", quote(text))
	}
	return n, nil
}

func formatDecimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
