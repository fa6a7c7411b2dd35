
"use strict";
for (const table of document.querySelectorAll("table.data")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const filter = document.createElement("input");
  filter.type = "search";
  filter.placeholder = "Filter these rows";
  filter.setAttribute("aria-label", "Filter these rows");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });
  table.parentElement.before(filter);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const isNumber = head.classList.contains("n");
      const key = (row) => row.cells[column].textContent;
      const compare = (left, right) =>
        isNumber ? Number(key(left) || 0) - Number(key(right) || 0) : key(left) < key(right) ? -1 : key(left) > key(right) ? 1 : 0;
      const rows = Array.from(body.rows).sort((left, right) => (descending ? -compare(left, right) : compare(left, right)));
      body.append(...rows);
    });
  });
}
