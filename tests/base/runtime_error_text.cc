// Compiles without GODWIT_RUNTIME_TEXT and does not compile with it.

#include "base/result.h"

namespace godwit::base {

#ifdef GODWIT_RUNTIME_TEXT
Error FromBuffer(const char (&buffer)[16]) { return Error(Code::kInternal, buffer); }
#else
Error FromLiteral() { return Error(Code::kInternal, "a literal"); }
#endif

}  // namespace godwit::base
