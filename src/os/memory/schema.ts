/**
 * Tables of memory. `memory_text` is what was put away, once and for ever the same; `memory_page`
 * says what a process's window shows of it; `memory_window` has the process's counts and version;
 * `memory_done` the answers of calls that were made, so that a repeated one does nothing.
 */
export const memoryTables: readonly string[] = [
  `create table memory_window (
     pid int primary key, owner text not null, version int not null,
     texts int not null, last_page int not null, last_position int not null,
     clock int not null, refs int not null, hits int not null,
     faults int not null, refaults int not null, evictions int not null,
     capacity int);
   create table memory_text (
     pid int not null, n int not null, owner text not null, space text not null,
     kind text not null, title text not null, hash text not null, coding text not null,
     bytes int not null, tokens int not null, labels text not null,
     call int not null, at bigint not null, forgotten bigint,
     words tsvector, vector bytea, vector_model text,
     primary key (pid, n));
   create index memory_text_space on memory_text (owner, space);
   create index memory_text_words on memory_text using gin (words);
   create table memory_page (
     pid int not null, page int not null, text_pid int not null, text_n int not null,
     kind text not null, form text not null, shown int not null, pinned boolean not null,
     dirty boolean not null, history int[] not null, rest text not null, call int not null,
     primary key (pid, page),
     foreign key (text_pid, text_n) references memory_text (pid, n));
   create index memory_page_shown on memory_page (pid) where form <> 'absent';
   create index memory_page_text on memory_page (text_pid, text_n);
   create table memory_done (
     pid int not null, call int not null, answer text not null, primary key (pid, call));`,
];
