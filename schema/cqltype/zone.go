package cqltype

import (
	"strings"
	"time"
)

// zoneAbbreviations maps the abbreviations that are understood to the zone whose clocks they mean. As in
// Cassandra, EST and EDT both mean whatever applies in New York on the day. Abbreviations that mean different
// zones to different people, such as IST and BST, are left out.
var zoneAbbreviations = map[string]string{
	"UTC": "UTC", "UT": "UTC", "GMT": "UTC", "GMT0": "UTC",
	"WET": "Europe/Lisbon", "WEST": "Europe/Lisbon", "CET": "Europe/Paris", "CEST": "Europe/Paris",
	"MET": "Europe/Paris", "MEST": "Europe/Paris", "EET": "Europe/Bucharest", "EEST": "Europe/Bucharest",
	"MSK": "Europe/Moscow", "MSD": "Europe/Moscow", "TRT": "Europe/Istanbul",
	"CAT": "Africa/Maputo", "EAT": "Africa/Nairobi", "WAT": "Africa/Lagos", "SAST": "Africa/Johannesburg",
	"NST": "America/St_Johns", "NDT": "America/St_Johns", "AST": "America/Halifax", "ADT": "America/Halifax",
	"EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
	"MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
	"AKST": "America/Juneau", "AKDT": "America/Juneau", "HST": "Pacific/Honolulu",
	"BRT": "America/Sao_Paulo", "BRST": "America/Sao_Paulo", "ART": "America/Argentina/Buenos_Aires",
	"PKT": "Asia/Karachi", "NPT": "Asia/Kathmandu", "ICT": "Asia/Bangkok", "WIB": "Asia/Jakarta",
	"SGT": "Asia/Singapore", "HKT": "Asia/Hong_Kong", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
	"AWST": "Australia/Perth", "ACST": "Australia/Adelaide", "ACDT": "Australia/Adelaide",
	"AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
}

// findZone returns the time zone of an abbreviation or of an identifier of the time zone database. It reads the
// database of the machine, or the copy in the binary if the program has one.
func findZone(name string) (*time.Location, bool) {
	if id, ok := zoneAbbreviations[name]; ok {
		name = id
	}
	if name == "" || name == "Local" || strings.ContainsAny(name, ".\x00") {
		return nil, false
	}
	location, err := time.LoadLocation(name)
	return location, err == nil
}
