// What a thief of memory finds. The canary is made while the test runs: a literal would lie in the
// program's own file.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/hkdf.h"
#include "crypto/sign.h"
#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;

constexpr std::uint8_t kMask = 0xa6;
// A scan looks for the middle of a key: X25519 clamps the first and the last byte of its copy.
constexpr std::size_t kFrom = 2;
constexpr std::size_t kNeedleSize = 24;

// The middle of a key in other bytes, so that the needle is not found in its own place.
using Needle = std::array<std::uint8_t, kNeedleSize>;

Needle NeedleOf(std::span<const std::uint8_t> key) {
  Needle needle;
  for (std::size_t i = 0; i < kNeedleSize; ++i) {
    const volatile std::uint8_t* byte = &key[kFrom + i];
    needle[i] = *byte ^ kMask;
  }
  return needle;
}

struct Region {
  std::uintptr_t begin;
  std::uintptr_t end;
  bool readable;
  bool locked;      // VmLck: never swapped out
  bool undumpable;  // kept out of core files
};

// The regions of this process, as /proc/self/smaps lists them.
std::vector<Region> Regions() {
  std::ifstream smaps("/proc/self/smaps");
  std::vector<Region> regions;
  std::string line;
  while (std::getline(smaps, line)) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "VmFlags:") {
      for (std::string flag; words >> flag;) {
        if (flag == "lo") regions.back().locked = true;
        if (flag == "dd") regions.back().undumpable = true;
      }
    } else if (first.find(':') == std::string::npos) {
      std::string permissions;
      words >> permissions;
      const auto dash = first.find('-');
      regions.push_back({std::stoul(first.substr(0, dash), nullptr, 16),
                         std::stoul(first.substr(dash + 1), nullptr, 16), permissions[0] == 'r',
                         false, false});
    }
  }
  return regions;
}

struct Found {
  std::size_t copies = 0;
  std::size_t outside_locked = 0;
  std::size_t dumpable = 0;
};

class Scanner {
 public:
  Scanner() {
    // Init made the process undumpable, and with that these files root's.
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    memory_ = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    buffer_ = static_cast<std::uint8_t*>(
        mmap(nullptr, kBufferSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }
  ~Scanner() {
    munmap(buffer_, kBufferSize);
    close(memory_);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  bool ready() const { return memory_ >= 0 && buffer_ != MAP_FAILED; }
  std::size_t scanned() const { return scanned_; }

  Found Find(const Needle& needle) {
    Found found;
    const auto own = reinterpret_cast<std::uintptr_t>(buffer_);
    for (const auto& region : Regions()) {
      if (!region.readable) continue;
      for (auto at = region.begin; at < region.end; at += kBufferSize - kNeedleSize) {
        const std::size_t size = std::min<std::size_t>(kBufferSize, region.end - at);
        const auto read = pread(memory_, buffer_, size, static_cast<off_t>(at));
        if (read <= 0) continue;
        scanned_ += static_cast<std::size_t>(read);
        const auto count = Count(needle, static_cast<std::size_t>(read), at, own);
        found.copies += count;
        if (!region.locked) found.outside_locked += count;
        if (!region.undumpable) found.dumpable += count;
      }
    }
    // What was read must not be found by the next scan.
    Wipe({buffer_, kBufferSize});
    return found;
  }

 private:
  static constexpr std::size_t kBufferSize = 1 << 20;

  std::size_t Count(const Needle& needle, std::size_t size, std::uintptr_t base,
                    std::uintptr_t own) const {
    std::size_t count = 0;
    const std::uint8_t first = needle[0] ^ kMask;
    const std::uint8_t* const end = buffer_ + size;
    for (const auto* at = std::find(buffer_, buffer_ + size, first);
         end - at >= static_cast<std::ptrdiff_t>(kNeedleSize); at = std::find(at + 1, end, first)) {
      std::size_t i = 1;
      while (i < kNeedleSize && (at[i] ^ kMask) == needle[i]) ++i;
      const std::uintptr_t place = base + static_cast<std::uintptr_t>(at - buffer_);
      if (i == kNeedleSize && (place < own || place >= own + kBufferSize)) ++count;
    }
    return count;
  }

  int memory_;
  std::uint8_t* buffer_;
  std::size_t scanned_ = 0;
};

// Runs `use` with a fresh key and returns what of the key is found while it lives and afterwards.
struct LiveAndGone {
  Found live;
  Found gone;
};

template <class Use>
std::optional<LiveAndGone> Watch(Use use) {
  Scanner scanner;
  EXPECT_TRUE(scanner.ready());
  if (!scanner.ready()) return std::nullopt;
  LiveAndGone result;
  Needle needle;
  {
    const auto key = support::RandomKey();
    needle = NeedleOf(key.Expose());
    use(key);
    result.live = scanner.Find(needle);
  }
  result.gone = scanner.Find(needle);
  EXPECT_GT(scanner.scanned(), 1U << 20);
  return result;
}

TEST(MemoryHygiene, AKeyLiesInLockedMemoryAloneAndIsGoneAfterwards) {
  const auto found = Watch([](const support::Key&) {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->live.copies, 1U);
  EXPECT_EQ(found->live.outside_locked, 0U);
  EXPECT_EQ(found->live.dumpable, 0U);
  EXPECT_EQ(found->gone.copies, 0U);
}

// The control: a copy on the heap is found, live and gone.
TEST(MemoryHygiene, TheScanFindsACarelessCopy) {
  std::unique_ptr<Bytes> careless;
  const auto copy = [&](const support::Key& key) {
    careless = std::make_unique<Bytes>(base::ToBytes(key.Expose()));
  };
  // Once before: the first call of a library's function goes through the dynamic linker, which
  // puts the registers on the stack, and with them what was copied through one.
  ASSERT_TRUE(Watch(copy));
  const auto found = Watch(copy);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->live.copies, 2U);
  EXPECT_EQ(found->live.outside_locked, 1U);
  EXPECT_EQ(found->gone.copies, 1U);
}

TEST(MemoryHygiene, WorkWithAKeyLeavesNoCopyOfIt) {
  const auto found = Watch([](const support::Key& key) {
    const auto sealed = SealCommitting(key, CommittingLabel("rec"), {}, Bytes(1000, 1));
    ASSERT_TRUE(OpenCommitting(key, CommittingLabel("rec"), {}, sealed));
    ASSERT_FALSE(OpenCommitting(key, CommittingLabel("prev"), {}, sealed));
    const auto derived = DeriveSecret<struct DerivedTag, 32>(key, DeriveLabel("dup"), {});
    ASSERT_TRUE(derived);
    const auto signer = SigningKey::FromSeed(*derived);
    ASSERT_TRUE(signer);
    static_cast<void>(signer->Sign(SignLabel("roster"), Bytes(10)));
  });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->live.copies, 1U);
  EXPECT_EQ(found->live.outside_locked, 0U);
  EXPECT_EQ(found->gone.copies, 0U);
}

TEST(MemoryHygiene, BoxesLeaveNoCopyOfTheirKey) {
  const auto found = Watch([](const support::Key& key) {
    const auto pair = X25519Kem().FromPrivateKey(support::RandomKey());
    ASSERT_TRUE(pair);
    const auto box = SealBox(DefaultHpke(), pair->public_key, BoxLabel("vek"), {}, key);
    ASSERT_TRUE(box);
    const auto opened =
        OpenBox<support::TestKeyTag>(DefaultHpke(), *pair, BoxLabel("vek"), {}, *box);
    ASSERT_TRUE(opened);
  });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->live.copies, 1U);
  EXPECT_EQ(found->live.outside_locked, 0U);
  EXPECT_EQ(found->gone.copies, 0U);
}

TEST(MemoryHygiene, PrivateKeysOfPairsLieInLockedMemoryAlone) {
  std::optional<KemKeyPair> pair;
  std::optional<SigningKey> signer;
  const auto found = Watch([&](const support::Key& key) {
    pair = *X25519Kem().FromPrivateKey(key);
    const auto sealed =
        SealTo(DefaultHpke(), pair->public_key, SealedLabel("audit"), {}, Bytes(10));
    ASSERT_TRUE(OpenSealed(DefaultHpke(), *pair, SealedLabel("audit"), {}, *sealed));
    signer = *SigningKey::FromSeed(key);
    static_cast<void>(signer->SignBare({}));
  });
  ASSERT_TRUE(found);
  // The key, the pair's copy of it, and Ed25519's pair, whose first half is the seed.
  EXPECT_EQ(found->live.copies, 3U);
  EXPECT_EQ(found->live.outside_locked, 0U);
  EXPECT_EQ(found->gone.copies, 2U);
}

TEST(MemoryHygiene, AKeyThatAnExceptionPassesIsGone) {
  Scanner scanner;
  ASSERT_TRUE(scanner.ready());
  Needle needle;
  try {
    const auto key = support::RandomKey();
    needle = NeedleOf(key.Expose());
    throw std::runtime_error("from a library");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(scanner.Find(needle).copies, 0U);
}

TEST(MemoryHygiene, TemporariesOfACallAreGone) {
  Scanner scanner;
  ASSERT_TRUE(scanner.ready());
  Needle stack_needle;
  Needle heap_needle;
  {
    StackSecret<32> stack;
    FillRandom(stack.Expose());
    stack_needle = NeedleOf(stack.Expose());
    // Its end, since a freed block begins with the allocator's own notes.
    SecretBytes heap(500);
    FillRandom(heap.Expose());
    heap_needle = NeedleOf(heap.Expose().last(32));
    EXPECT_EQ(scanner.Find(heap_needle).copies, 1U);
    SecretBytes moved = std::move(heap);
    moved = SecretBytes(8);
    EXPECT_EQ(scanner.Find(heap_needle).copies, 0U);
  }
  EXPECT_EQ(scanner.Find(stack_needle).copies, 0U);
}

// Exit codes of the child below.
constexpr int kRefusedClearly = 0;
constexpr int kWrongAnswer = 1;
constexpr int kNeverRefused = 2;

int TakeKeysUntilRefused() {
  // Root locks without limit.
  if (geteuid() == 0 && setuid(65534) != 0) return kWrongAnswer;
  const rlimit limit{256 * 1024, 256 * 1024};
  if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return kWrongAnswer;
  std::vector<support::Key> keys;
  for (int i = 0; i < 20'000; ++i) {
    auto key = support::Key::Random();
    if (!key) {
      if (key.error().code() != base::Code::kResourceExhausted) return kWrongAnswer;
      // What there is still works, and a key given back makes room.
      if (keys.empty()) return kWrongAnswer;
      keys.pop_back();
      return support::Key::Random() ? kRefusedClearly : kWrongAnswer;
    }
    keys.push_back(*std::move(key));
  }
  return kNeverRefused;
}

TEST(MemoryHygiene, WithoutLockableMemoryAKeyIsRefusedClearly) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(TakeKeysUntilRefused());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), kRefusedClearly);
}

}  // namespace
}  // namespace godwit::crypto
