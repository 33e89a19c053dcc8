#include "client/search.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <sqlite3.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "client/case_code.h"
#include "client/casework/name_keys.h"
#include "client/normalise.h"
#include "client/outbox.h"
#include "client/pinned_rows.h"
#include "client/vault_file.h"
#include "protocol/ce.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::ByteSpan;
using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using protocol::Kind;

constexpr std::size_t kMaxQuery = 200;  // in bytes
// Characters that a trigram takes.
constexpr std::size_t kTrigram = 3;
// Code points of a text shown before and after the place.
constexpr std::size_t kBefore = 24;
constexpr std::size_t kAfter = 56;

// ---- What a vault says

// One text, and by what it is found if it is a name.
struct Text {
  Record::BodyCase record = Record::BODY_NOT_SET;
  std::string field;
  std::string text;
  std::vector<NameKey> keys;
};

// What was read of one vault while it stood so.
struct Extract {
  std::uint64_t seq = 0;
  base::Link head;
  protocol::Roles roles = 0;
  std::string code;
  std::vector<Text> texts;

  bool IsOf(const VaultMemory& memory, protocol::Roles now) const {
    return seq == memory.seq && head == memory.head && roles == now;
  }
};

// Texts that are codes, which nobody searches for.
bool IsCode(const FieldDescriptor& field) {
  static const std::set<std::string> codes{"citizenships", "currency", "language", "languages"};
  return codes.contains(field.name());
}
// Texts that name somebody without being a Name.
bool HoldsName(const FieldDescriptor& field) {
  static const std::set<std::string> names{"inquirer", "interpreter", "sought"};
  return names.contains(field.name());
}

class Collector {
 public:
  explicit Collector(std::vector<Text>& texts) : texts_(texts) {}

  void Take(const Record& record) {
    switch (record.body_case()) {
      // Acts say nothing in words, and links repeat the code of the case.
      case Record::BODY_NOT_SET:
      case Record::kAct:
      case Record::kCaseBegin:
      case Record::kLink1:
      case Record::kScreeningLink:
        return;
      case Record::kConflict: {
        // The other value is shown until somebody chooses, and found as long.
        Record other;
        if (record.conflict().settled() || !other.ParseFromString(record.conflict().other()))
          return;
        record_ = Record::kConflict;
        TakeBody(other);
        return;
      }
      default:
        record_ = record.body_case();
        TakeBody(record);
    }
  }

 private:
  void TakeBody(const Record& record) {
    const auto* body =
        Record::descriptor()->FindFieldByNumber(static_cast<int>(record.body_case()));
    if (body != nullptr) Walk(record.GetReflection()->GetMessage(record, body), "");
  }

  void Walk(const Message& message, const std::string& prefix) {
    std::vector<const FieldDescriptor*> fields;
    const auto* reflection = message.GetReflection();
    reflection->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const std::string path = prefix + field->name();
      const bool group = field->type() == FieldDescriptor::TYPE_MESSAGE;
      if (!group && (field->type() != FieldDescriptor::TYPE_STRING || IsCode(*field))) continue;
      const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        const std::string at = field->is_repeated() ? path + "[" + std::to_string(i) + "]" : path;
        if (group) {
          const Message& inner = field->is_repeated()
                                     ? reflection->GetRepeatedMessage(message, field, i)
                                     : reflection->GetMessage(message, field);
          TakeGroup(inner, at);
        } else {
          const std::string text = field->is_repeated()
                                       ? reflection->GetRepeatedString(message, field, i)
                                       : reflection->GetString(message, field);
          Add(at, text, HoldsName(*field));
        }
      }
    }
  }

  void TakeGroup(const Message& group, const std::string& path) {
    if (group.GetDescriptor() != content::v1::Name::descriptor()) {
      Walk(group, path + ".");
      return;
    }
    const auto& name = static_cast<const content::v1::Name&>(group);
    Add(path, name.full(), true);
    const std::string gap = name.family().empty() || name.given().empty() ? "" : " ";
    const std::string parts = name.family() + gap + name.given();
    if (parts != name.full()) Add(path, parts, true);
    Add(path + ".source", name.source(), false);
  }

  void Add(const std::string& path, const std::string& text, bool name) {
    if (text.empty()) return;
    texts_.push_back({record_, path, text, name ? NameKeys(text) : std::vector<NameKey>()});
  }

  std::vector<Text>& texts_;
  Record::BodyCase record_ = Record::BODY_NOT_SET;
};

// Everything that an open vault says now; what was entered in error counts for nothing.
Extract ExtractOf(const VaultFile& file) {
  Extract extract;
  if (file.Pinned() != nullptr) extract.code = CodeOf(file.Pinned()->content);
  Collector collector(extract.texts);
  const auto* bodies = Record::descriptor()->FindOneofByName("body");
  for (int i = 0; i < bodies->field_count(); ++i) {
    const auto body = static_cast<Record::BodyCase>(bodies->field(i)->number());
    for (const auto* entry : file.Of(body)) collector.Take(entry->content);
  }
  return extract;
}

// ---- What is kept of it
//
// A realm's vaults stand in 16 values of its local store, by the first digit of their ids: a change
// writes one of them anew, and the first search writes no more than 16.
//
//   searched/D = u8 version | vaults
//   vault      = VaultId | u64 seq | Link | u32 roles | var16 code | u32 n | n texts
//   text       = u16 record | var16 field | var32 text | u32 k | k of (u8 whole | var16 key)

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kShards = 16;

using Extracts = std::map<base::VaultId, Extract>;

Bytes WriteShard(const Extracts& extracts) {
  protocol::Writer w;
  w.U8(kVersion);
  for (const auto& [vault, extract] : extracts) {
    w.Fixed(vault).U64(extract.seq).Fixed(extract.head).U32(extract.roles);
    w.Var16(base::AsBytes(extract.code)).U32(static_cast<std::uint32_t>(extract.texts.size()));
    for (const Text& text : extract.texts) {
      w.U16(static_cast<std::uint16_t>(text.record)).Var16(base::AsBytes(text.field));
      w.Var32(base::AsBytes(text.text)).U32(static_cast<std::uint32_t>(text.keys.size()));
      for (const NameKey& key : text.keys) w.U8(key.whole ? 1 : 0).Var16(base::AsBytes(key.key));
    }
  }
  return w.Take();
}

// Nothing: another version of this program wrote it, and all is read anew.
Extracts ReadShard(ByteSpan bytes) {
  protocol::Reader r(bytes);
  if (r.U8() != kVersion) return {};
  Extracts extracts;
  while (r.ok() && !r.rest().empty()) {
    const auto vault = r.Take<base::VaultId>();
    Extract extract;
    extract.seq = r.U64();
    extract.head = r.Take<base::Link>();
    extract.roles = static_cast<protocol::Roles>(r.U32());
    extract.code = base::ToString(r.Var16());
    const std::uint32_t texts = r.U32();
    for (std::uint32_t i = 0; i < texts && r.ok(); ++i) {
      Text text;
      text.record = static_cast<Record::BodyCase>(r.U16());
      text.field = base::ToString(r.Var16());
      text.text = base::ToString(r.Var32());
      const std::uint32_t keys = r.U32();
      for (std::uint32_t k = 0; k < keys && r.ok(); ++k) {
        const bool whole = r.Presence();
        text.keys.push_back({base::ToString(r.Var16()), whole});
      }
      extract.texts.push_back(std::move(text));
    }
    extracts.emplace(vault, std::move(extract));
  }
  if (!r.Done()) return {};
  return extracts;
}

// The extracts of one realm, read from its store and brought up to date.
class Cache {
 public:
  explicit Cache(Realm& realm) : realm_(realm) {}

  // Whether nothing was kept of this vault as it stands.
  base::Result<const Extract*> Find(const base::VaultId& vault, const VaultMemory& memory) {
    auto shard = ShardWith(vault);
    if (!shard) return shard.error();
    const auto kept = (*shard)->extracts.find(vault);
    if (kept == (*shard)->extracts.end()) return static_cast<const Extract*>(nullptr);
    if (!kept->second.IsOf(memory, realm_.roles())) return static_cast<const Extract*>(nullptr);
    (*shard)->seen.insert(vault);
    return &kept->second;
  }
  // After Find of the same vault.
  void Keep(const base::VaultId& vault, const VaultMemory& memory, Extract extract) {
    Shard& shard = *shards_[Store::SearchedShard(vault)];
    extract.seq = memory.seq;
    extract.head = memory.head;
    extract.roles = realm_.roles();
    shard.extracts[vault] = std::move(extract);
    shard.seen.insert(vault);
    shard.changed = true;
  }
  // Writes what changed, without the vaults that nobody asked for.
  Status Save() {
    for (std::size_t i = 0; i < kShards; ++i) {
      if (!shards_[i]) continue;
      Shard& shard = *shards_[i];
      const auto gone = std::erase_if(
          shard.extracts, [&](const auto& row) { return !shard.seen.contains(row.first); });
      if (!shard.changed && gone == 0) continue;
      const Status put = realm_.store().Put(Store::SearchedName(i), WriteShard(shard.extracts));
      if (!put) return put;
    }
    return {};
  }

 private:
  struct Shard {
    Extracts extracts;
    std::set<base::VaultId> seen;
    bool changed = false;
  };
  base::Result<Shard*> ShardWith(const base::VaultId& vault) {
    auto& shard = shards_[Store::SearchedShard(vault)];
    if (!shard) {
      const auto kept = realm_.store().Get(Store::SearchedName(Store::SearchedShard(vault)));
      if (!kept) return kept.error();
      shard.emplace();
      if (*kept) shard->extracts = ReadShard(**kept);
    }
    return &*shard;
  }

  Realm& realm_;
  std::array<std::optional<Shard>, kShards> shards_;
};

// ---- The index

// A text that is searched, and where it stands.
struct Place {
  Kind kind = Kind::kCase;
  base::VaultId vault;
  std::string code;
  Text text;
  std::string folded;
};

class Corpus {
 public:
  std::vector<Place> places;
  std::size_t unopened = 0;

  void Add(Kind kind, const base::VaultId& vault, const Extract& extract) {
    for (const Text& text : extract.texts) {
      places.push_back({kind, vault, extract.code, text, Folded(text.text)});
    }
  }
};

Status AddRealm(Realm& realm, const std::vector<Kind>& kinds, Corpus& corpus) {
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  std::map<base::VaultId, Kind> unsent;
  std::set<base::VaultId> pending;
  for (const Pending& each : *waiting) {
    pending.insert(each.vault);
    if (each.create) unsent[each.vault] = each.create->kind;
  }
  // Opens a vault here and now; whether what it says may be kept.
  const auto open = [&](const base::VaultId& vault, Extract& extract) -> base::Result<bool> {
    const auto file = VaultFile::Open(realm, vault, From::kDevice);
    if (!file) return file.error();
    extract = ExtractOf(*file);
    return file->unreadable() == 0 || (file->perm() & protocol::kRead) == 0;
  };

  Cache cache(realm);
  std::set<base::VaultId> here;
  for (const Kind kind : kinds) {
    const auto vaults = realm.store().Vaults(kind);
    if (!vaults) return vaults.error();
    for (const auto& [vault, memory] : *vaults) {
      here.insert(vault);
      const auto kept = cache.Find(vault, memory);
      if (!kept) return kept.error();
      if (*kept != nullptr && !pending.contains(vault)) {
        corpus.Add(kind, vault, **kept);
        continue;
      }
      Extract extract;
      const auto opened = open(vault, extract);
      if (!opened) {
        if (opened.error().code() == Code::kStateLost) return opened.error();
        ++corpus.unopened;
        continue;
      }
      corpus.Add(kind, vault, extract);
      if (*opened && !pending.contains(vault)) cache.Keep(vault, memory, std::move(extract));
    }
  }
  for (const auto& [vault, kind] : unsent) {
    if (here.contains(vault) || std::ranges::count(kinds, kind) == 0) continue;
    here.insert(vault);
    Extract extract;
    const auto opened = open(vault, extract);
    if (!opened) return opened.error();
    corpus.Add(kind, vault, extract);
  }
  // Of a case that this device never fetched whole, the board's row is all there is.
  if (std::ranges::count(kinds, Kind::kCase) > 0) {
    const auto rows = ReadPinnedRows(realm, Kind::kCase);
    if (!rows) return rows.error();
    for (const PinnedRow& row : *rows) {
      if (here.contains(row.vault)) continue;
      Extract extract;
      extract.code = CodeOf(row.record);
      Collector(extract.texts).Take(row.record);
      corpus.Add(Kind::kCase, row.vault, extract);
    }
  }
  return cache.Save();
}

base::Result<Corpus> CorpusOf(Organisation& organisation) {
  Corpus corpus;
  for (const auto& [compartment, realm] : organisation.realms()) {
    std::vector<Kind> kinds;
    for (const Kind kind :
         {Kind::kPerson, Kind::kFamily, Kind::kCase, Kind::kSensitive, Kind::kScreening}) {
      if (protocol::HasKind(compartment, kind)) kinds.push_back(kind);
    }
    if (kinds.empty()) continue;
    if (const auto added = AddRealm(*realm, kinds, corpus); !added) return added.error();
  }
  return corpus;
}

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

// An FTS5 table of trigrams in memory: it says in which texts words may stand.
class Trigrams {
 public:
  static base::Result<Trigrams> Of(const std::vector<Place>& places) {
    Trigrams index;
    sqlite3* database = nullptr;
    const int opened = sqlite3_open_v2(
        ":memory:", &database,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
        nullptr);
    index.database_.reset(database);
    if (opened != SQLITE_OK) return Failed();
    // Neither a journal nor what a sort or index spills may become a file. The table keeps no text,
    // its texts are folded already.
    for (const char* const sql : {"PRAGMA temp_store=MEMORY", "PRAGMA journal_mode=OFF",
                                  "CREATE VIRTUAL TABLE texts USING fts5(folded, content='', "
                                  "tokenize='trigram case_sensitive 1')",
                                  "BEGIN"}) {
      if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Failed();
    }
    const auto insert = index.Prepare("INSERT INTO texts(rowid, folded) VALUES (?1, ?2)");
    if (!insert) return Failed();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string& folded = places[i].folded;
      sqlite3_reset(insert.get());
      sqlite3_bind_int64(insert.get(), 1, static_cast<sqlite3_int64>(i));
      sqlite3_bind_text64(insert.get(), 2, folded.data(), folded.size(), SQLITE_STATIC,
                          SQLITE_UTF8);
      if (sqlite3_step(insert.get()) != SQLITE_DONE) return Failed();
    }
    if (sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) return Failed();
    return index;
  }

  // The texts that hold all of `words`, each of kTrigram characters at least; rising.
  base::Result<std::vector<std::size_t>> Find(const std::vector<std::string>& words) const {
    std::string phrases;
    for (const std::string& word : words) {
      phrases += phrases.empty() ? "\"" : " \"";
      for (const char c : word) phrases += c == '"' ? std::string("\"\"") : std::string(1, c);
      phrases += '"';
    }
    const auto find = Prepare("SELECT rowid FROM texts WHERE texts MATCH ?1 ORDER BY rowid");
    if (!find) return Failed();
    sqlite3_bind_text64(find.get(), 1, phrases.data(), phrases.size(), SQLITE_STATIC, SQLITE_UTF8);
    std::vector<std::size_t> rows;
    int code = sqlite3_step(find.get());
    for (; code == SQLITE_ROW; code = sqlite3_step(find.get())) {
      rows.push_back(static_cast<std::size_t>(sqlite3_column_int64(find.get(), 0)));
    }
    if (code != SQLITE_DONE) return Failed();
    return rows;
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  struct Finish {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finish>;

  static Error Failed() {
    return Error(Code::kResourceExhausted,
                 "the index of this search could not be made: free some memory, and try again");
  }
  Statement Prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr);
    return Statement(statement);
  }

  std::unique_ptr<sqlite3, Close> database_;
};

// ---- What was asked for

struct Asked {
  std::vector<std::string> words;  // folded
  std::vector<std::string> keys;
  // What was typed may be a case code, and some words look like one.
  std::optional<std::string> code;
};

// The words of a folded text, which are all that may stand between its spaces.
std::vector<std::string> WordsOf(const std::string& folded) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < folded.size();) {
    const std::size_t end = std::min(folded.find_first_of(" \t\r\n", at), folded.size());
    if (end > at) words.push_back(folded.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

base::Result<Asked> Ask(std::string_view query) {
  Asked asked;
  if (query.size() > kMaxQuery) {
    return Error(Code::kInvalidArgument, "nobody searches for so much: give a word or a name");
  }
  asked.keys = QueryKeys(query);
  asked.code = CanonicalCaseCode(query);
  asked.words = WordsOf(Folded(query));
  if (asked.words.empty()) {
    return Error(Code::kInvalidArgument, "nothing was asked for: give a word or a name");
  }
  return asked;
}

// How a name is what was asked for by one of its keys; nothing: it is not.
std::optional<Hit::How> HowNamed(const Asked& asked, const std::vector<NameKey>& keys) {
  std::optional<Hit::How> best;
  const auto take = [&](Hit::How how) {
    if (!best || how < *best) best = how;
  };
  for (const std::string& wanted : asked.keys) {
    const bool letters = wanted.front() == 't';
    for (const NameKey& key : keys) {
      if (key.key == wanted && key.whole) {
        take(letters ? Hit::How::kSameName : Hit::How::kSoundsSame);
      } else if (key.key == wanted) {
        take(letters ? Hit::How::kInName : Hit::How::kSoundsAlike);
      } else if (wanted.size() > kTrigram && key.key.starts_with(wanted)) {
        take(letters ? Hit::How::kInName : Hit::How::kSoundsAlike);
      }
    }
  }
  return best;
}

bool HoldsAll(const std::string& folded, const std::vector<std::string>& words) {
  return std::ranges::all_of(
      words, [&](const std::string& word) { return folded.find(word) != std::string::npos; });
}

// Where in `text` the byte `at` of its folded form comes from.
std::size_t PlaceInText(const std::string& text, std::size_t at) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) return 0;
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded);
  icu::Edits edits;
  fold->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                      sink, &edits, status);
  auto from = edits.getFineIterator();
  const std::int32_t place =
      from.sourceIndexFromDestinationIndex(static_cast<std::int32_t>(at), status);
  return U_SUCCESS(status) ? static_cast<std::size_t>(place) : 0;
}

// `text` around byte `at`, on one line.
std::string Around(const std::string& text, std::size_t at) {
  const auto starts = [&](std::size_t i) { return (text[i] & 0xc0) != 0x80; };
  std::size_t first = std::min(at, text.size());
  for (std::size_t n = 0; first > 0 && n < kBefore;) n += starts(--first) ? 1 : 0;
  std::size_t end = at;
  for (std::size_t n = 0; end < text.size(); ++end) {
    if (starts(end) && n++ == kAfter) break;
  }
  std::string snippet = text.substr(first, end - first);
  std::ranges::replace_if(
      snippet, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return (first > 0 ? "…" : "") + snippet + (end < text.size() ? "…" : "");
}

}  // namespace

base::Result<Found> Search(Organisation& organisation, std::string_view query) {
  const auto asked = Ask(query);
  if (!asked) return asked.error();
  const auto corpus = CorpusOf(organisation);
  if (!corpus) return corpus.error();

  // Trigrams know nothing of one or two characters: without a longer word every text is looked at.
  std::vector<std::string> long_words;
  std::ranges::copy_if(asked->words, std::back_inserter(long_words),
                       [](const std::string& word) { return CodePoints(word) >= kTrigram; });
  std::set<std::size_t> may_hold;
  if (!long_words.empty()) {
    const auto index = Trigrams::Of(corpus->places);
    if (!index) return index.error();
    const auto rows = index->Find(long_words);
    if (!rows) return rows.error();
    may_hold.insert(rows->begin(), rows->end());
  }

  Found found;
  found.unopened = corpus->unopened;
  for (std::size_t i = 0; i < corpus->places.size(); ++i) {
    const Place& place = corpus->places[i];
    auto how = HowNamed(*asked, place.text.keys);
    const bool holds =
        (long_words.empty() || may_hold.contains(i)) && HoldsAll(place.folded, asked->words);
    const auto held = place.text.keys.empty() ? Hit::How::kInText : Hit::How::kInName;
    if (holds && (!how || held < *how)) how = held;
    if (!how && asked->code && place.text.text == *asked->code) how = Hit::How::kInText;
    if (!how) continue;
    const std::size_t at =
        holds ? PlaceInText(place.text.text, place.folded.find(asked->words.front())) : 0;
    found.hits.push_back({*how, place.kind, place.vault, place.code, place.text.record,
                          place.text.field, Around(place.text.text, at)});
  }
  std::ranges::stable_sort(found.hits, {},
                           [](const Hit& hit) { return std::tuple(hit.how, hit.code, hit.vault); });
  return found;
}

}  // namespace godwit::client
