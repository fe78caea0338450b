// Package mail brings messages in for the inbox-search workload: it reads mail from files, invents
// mail from a seed, and names the terms under which a message is found.
//
// # Reading
//
// [Open] recognizes what a path is by its content and [Source.Next] then streams [Message] values:
//
//   - JSON lines: one object per line with id, user, from, to, cc, date, subject, body and folder.
//     Addresses are lower-case, the date is RFC 3339. This is the format that [WriteJSONL] writes.
//   - mbox, with mboxo or mboxrd quoting. A message starts at a "From " line that names a sender and
//     a date; one leading ">" is taken off body lines such as ">From ".
//   - Maildir, with its subfolders (".Sent.2024", or plain directories that are Maildirs).
//   - A directory of any mix of these, walked in the order of the names.
//
// JSON lines, mbox files and the messages of a Maildir may be compressed with gzip. Hidden files,
// empty files and files in none of these formats are passed over inside a directory and listed by
// [Source.Ignored]; a path that holds no mail at all is an error.
//
// A JSON line names its user, or is [Options].User's. For mbox and Maildir the user is [Options].User, else the base
// name of the mbox file or of the Maildir; where that name says nothing ("mbox", "Maildir"), the directory above.
//
// The order of messages depends on names and content alone: an mbox or JSON lines file from start to end,
// a Maildir folder by the unique part of the file names, so that a change of flags keeps the order.
// The mail must not change while it is read. Memory is bounded by about seven times the largest message,
// and so by Options.MaxMessageBytes, plus the file names of one Maildir folder.
//
// # Damage
//
// A damaged message is reported as a [MessageError], counts in [Source.Position], and the next call goes on
// with the message after it. Damage that may hide further messages is a [FileError] and ends the source:
// cut-off or corrupt gzip data, a last JSON line that ends inside its object, an mbox file that ends
// inside a line, a file that cannot be read. A plain file cut exactly between two
// messages cannot be told from a complete one; a gzip file can, unless it is several joined and the cut is at a joint.
//
// Headers are read tolerantly, because a workload wants the mail that exists. Unknown character sets fall back to
// UTF-8, then windows-1252. A date comes from the Date header, else the newest Received header, else the
// mbox "From " line, else the time of the file. A message without a usable Message-ID gets one made from a
// hash of its content. The body is the text/plain part, else text/html without its markup; attachments are left out.
//
// Message-IDs are not checked for uniqueness: a Maildir often holds one message in two folders.
//
// # Terms
//
// [Words] and [DistinctWords] cut text into the words of a term search, and apply the same to what a user
// types: [Words] of a query gives the keys to look up. [Correspondents] are the peers of an interaction search.
//
// # Inventing
//
// [Generate] makes as many messages as wanted from a seed, without reading anything, in the order of arrival.
// A [Generator] has the methods of a [Source] that a loader needs, so one loader serves both.
package mail
