import { WordTable } from './word-table.ts';

/** What a token is to the grammar. Words and signs share the kinds: `&&` is LOGIC as `and` is. */
export const END = 0;
export const NUMBER = 1;
export const STRING = 2;
/** A string that the value does not close: the query's own quote behind the value does. */
export const OPEN_STRING = 3;
export const VARIABLE = 4;
/** A name, or a word that is none of SQL's. */
export const NAME = 5;
export const COMMA = 6;
export const SEMICOLON = 7;
export const OPEN = 8;
export const CLOSE = 9;
/** A comment that nothing follows. */
export const COMMENT = 10;
export const ARITHMETIC = 11;
/** Plus and minus: signs as well. */
export const SIGN = 12;
export const COMPARE = 13;
export const LOGIC = 14;
export const OTHER = 15;
export const CAST = 16;
/** `~`, `!`. */
export const PREFIX = 17;
export const NOT = 18;
export const IN = 19;
export const IS = 20;
export const BETWEEN = 21;
export const SOUNDS = 22;
/** A value by its word: `null`, `current_user`. */
export const CONSTANT = 23;
export const SELECT = 24;
export const UNION = 25;
export const ALL = 26;
export const CASE = 27;
export const WHEN = 28;
export const THEN = 29;
export const ELSE = 30;
export const CASE_END = 31;
export const FROM = 32;
export const WHERE = 33;
export const ORDER = 34;
export const BY = 35;
export const HAVING = 36;
export const LIMIT = 37;
export const INTO = 38;
export const FILE = 39;
export const SET = 40;
export const AS = 41;
export const DIRECTION = 42;
export const COLLATE = 43;
export const TABLE = 44;
export const ON = 45;
export const PROCEDURE = 46;
export const VALUES = 47;
/** A table that the database keeps of itself. */
export const CATALOGUE = 48;
/** A stored procedure that only an attack calls from a value. */
export const SYSTEM_CALL = 49;
export const LOAD_WORD = 50;
export const MODIFIER = 51;
export const JOIN = 52;
export const DELAY = 53;
export const TOP = 54;
export const CURSOR = 55;
export const TRY = 56;
export const FOR = 57;
export const DO = 58;
/** From here on words that begin a statement. */
export const FIRST_STATEMENT = 60;
export const DEFINE = 60;
export const INSERT = 61;
export const UPDATE = 62;
export const DELETE = 63;
export const EXECUTE = 64;
export const DECLARE = 65;
export const WAITFOR = 66;
export const SHUTDOWN = 67;
export const BEGIN = 68;
export const IF = 69;
export const CALL = 70;
export const LOAD = 71;
export const GRANT = 72;
export const MOVE = 73;
export const PRINT = 74;
export const GOTO = 75;

/** What a word is when `(` follows it. */
export const NO_FUNCTION = 0;
/** Everyday names as well: `count(`, `left(`. */
export const COMMON = 1;
/** Tells about the database; only without arguments: `user()`. */
export const TELLING = 2;
/** Waits, reads files, breaks out: no honest value calls it. */
export const DANGEROUS = 3;

const KINDS: readonly (readonly [kind: number, words: string])[] = [
  [LOGIC, 'and or xor'],
  [NOT, 'not'],
  [COMPARE, 'like rlike regexp glob ilike similar'],
  [ARITHMETIC, 'div mod'],
  [IN, 'in'],
  [IS, 'is'],
  [BETWEEN, 'between'],
  [SOUNDS, 'sounds'],
  [PREFIX, 'binary distinct distinctrow sql_no_cache straight_join interval exists any some'],
  [CONSTANT, 'null true false unknown current_user system_user session_user current_date current_time current_timestamp'],
  [CONSTANT, 'localtime localtimestamp sysdate rownum user_name utc_date utc_time utc_timestamp'],
  [SELECT, 'select'],
  [UNION, 'union intersect except minus'],
  [ALL, 'all'],
  [CASE, 'case'],
  [WHEN, 'when'],
  [THEN, 'then'],
  [ELSE, 'else'],
  [CASE_END, 'end'],
  [FROM, 'from'],
  [WHERE, 'where'],
  [ORDER, 'order group'],
  [BY, 'by'],
  [HAVING, 'having'],
  [LIMIT, 'limit offset'],
  [INTO, 'into'],
  [FILE, 'outfile dumpfile'],
  [SET, 'set'],
  [AS, 'as separator using'],
  [DIRECTION, 'asc desc'],
  [COLLATE, 'collate escape'],
  [TABLE, 'table database view index function trigger schema column login role tablespace sequence'],
  [ON, 'on to'],
  [PROCEDURE, 'procedure'],
  [VALUES, 'values value'],
  [
    CATALOGUE,
    'information_schema mysql pg_catalog pg_user pg_shadow pg_tables pg_class pg_database sysobjects syscolumns sysusers',
  ],
  [CATALOGUE, 'sqlite_master sqlite_schema msysobjects all_tables user_tables all_users dba_users sysmaster rdb$database'],
  [CATALOGUE, 'performance_schema sysdatabases sysibm syscat dual domain.domains master'],
  [SYSTEM_CALL, 'xp_cmdshell xp_dirtree xp_fileexist xp_regread xp_regwrite xp_servicecontrol xp_availablemedia xp_subdirs'],
  [SYSTEM_CALL, 'sp_executesql sp_oacreate sp_oamethod sp_password sp_makewebtask sp_addextendedproc sp_configure sp_addlogin'],
  [SYSTEM_CALL, 'sp_addsrvrolemember sp_help sp_who sp_tables xp_loginconfig xp_enumgroups xp_terminate_process'],
  [LOAD_WORD, 'data xml infile concurrent local'],
  [MODIFIER, 'low_priority quick ignore delayed high_priority temporary'],
  [JOIN, 'join inner outer cross natural'],
  [DELAY, 'delay time'],
  [TOP, 'top'],
  [DEFINE, 'drop alter create truncate rename backup attach reconfigure dbcc'],
  [INSERT, 'insert replace merge'],
  [UPDATE, 'update'],
  [DELETE, 'delete'],
  [EXECUTE, 'exec execute'],
  [DECLARE, 'declare'],
  [WAITFOR, 'waitfor'],
  [SHUTDOWN, 'shutdown'],
  [BEGIN, 'begin'],
  [IF, 'if'],
  [CALL, 'call'],
  [LOAD, 'load'],
  [GRANT, 'grant revoke'],
  [MOVE, 'copy handler'],
  [PRINT, 'print raiserror'],
  [GOTO, 'goto'],
  [CURSOR, 'cursor'],
  [FOR, 'for'],
  [DO, 'do'],
  [TRY, 'try tran transaction'],
];

const FUNCTIONS: readonly (readonly [danger: number, words: string])[] = [
  [
    COMMON,
    'ascii substring substr substrb mid left right char chr nchar concat concat_ws hex unhex length char_length lower upper',
  ],
  [
    COMMON,
    'ucase lcase cast convert coalesce ifnull isnull nullif nvl if iif decode count sum avg min max floor ceil ceiling rand',
  ],
  [
    COMMON,
    'round abs sign cos sin tan acos asin atan cot sqrt pow power exp log ln log2 log10 pi md5 sha1 sha sha2 password encode',
  ],
  [
    COMMON,
    'compress uncompress charset collation coercibility now curdate curtime to_char to_number to_date date_format soundex',
  ],
  [
    COMMON,
    'reverse repeat replace trim ltrim rtrim instr locate position strcmp ord bin oct conv quote format greatest least elt',
  ],
  [
    COMMON,
    'field row values exists any all some json_extract json_keys regexp_like unicode stuff len string_agg array_agg extract',
  ],
  [COMMON, 'degrees radians crc32 truncate mod space lpad rpad octet_length bit_length bit_count random isnumeric datalength'],
  [
    COMMON,
    'like glob replicate difference patindex charindex str unix_timestamp from_unixtime makedate bit_and bit_or bit_xor std stddev',
  ],
  [COMMON, 'variance uuid inet_aton inet_ntoa des_encrypt des_decrypt aes_encrypt to_base64 from_base64 weight_string'],
  [TELLING, 'version database user current_user session_user system_user schema db_name current_database connection_id'],
  [TELLING, 'last_insert_id suser_sname suser_name host_name sqlite_version getdate sysdate user_name current_schema row_count'],
  [TELLING, 'found_rows current_role'],
  [DANGEROUS, 'sleep pg_sleep benchmark load_file extractvalue updatexml xmltype load_extension randomblob pg_read_file'],
  [
    DANGEROUS,
    'query_to_xml database_to_xml lo_import lo_export openrowset opendatasource openquery sys_eval sys_exec group_concat',
  ],
  [DANGEROUS, 'name_const gtid_subset gtid_subtract get_lock release_lock make_set find_in_set aes_decrypt object_id col_name'],
  [DANGEROUS, 'has_dbaccess is_srvrolemember listagg utl_http.request utl_inaddr.get_host_address utl_inaddr.get_host_name'],
  [DANGEROUS, 'dbms_pipe.receive_message dbms_lock.sleep dbms_ldap.init ctxsys.drithsx.sn generate_series pg_ls_dir'],
  [DANGEROUS, 'fn_virtualfilestats master.dbo.fn_varbintohexstr sys_context linestring multipoint geometrycollection'],
  [DANGEROUS, 'st_latfromgeohash st_longfromgeohash st_pointfromgeohash ordsys.ord_dicom.getmappingxpath db_id xp_cmdshell'],
  [DANGEROUS, 'crypt_key regexp_substring analyse pg_sleep_for dbms_xmlgen.getxml utl_file.fopen xmlforest xmlelement'],
];

/** Each word's kind in the low byte, its danger as a function above. */
export const WORDS: WordTable = new WordTable(allWords());

function allWords(): Map<string, number> {
  const words = new Map<string, number>();
  for (const [kind, list] of KINDS) for (const word of list.split(' ')) words.set(word, kind);
  for (const [danger, list] of FUNCTIONS) {
    for (const word of list.split(' ')) words.set(word, (words.get(word) ?? NAME) | (danger << 8));
  }
  return words;
}
