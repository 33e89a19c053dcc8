#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace godwit::client {

// Whether `text` is UTF-8 throughout: no overlong forms, no surrogates.
bool IsUtf8(std::string_view text);

// The number of code points of `text`, which is UTF-8.
std::size_t CodePoints(std::string_view text);

// Returns `text` as a terminal may show it: at most `limit` code points, then an ellipsis;
// characters that control a terminal, change the direction of writing or do not show are written
// \u{...}, bytes that are no UTF-8 \x.., and a backslash twice.
std::string Inert(std::string_view text, std::size_t limit = 40);

// Whether `text`, which is UTF-8, has a control character other than a tab or an end of line.
bool HasControl(std::string_view text);

// Returns `text` without the spaces, tabs, no-break and ideographic spaces at its ends.
std::string_view Trimmed(std::string_view text);

}  // namespace godwit::client
