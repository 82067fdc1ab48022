for (const head of document.querySelectorAll("th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const table = head.closest("table");
    const body = table.tBodies[0];
    const isNumber = head.dataset.sort === "number";
    const before = head.getAttribute("aria-sort");
    const isRising = before ? before === "descending" : !isNumber;
    const key = (row) => row.cells[head.cellIndex].dataset.value;
    const compare = (a, b) => isNumber ? key(a) - key(b) : key(a).localeCompare(key(b), document.documentElement.lang);
    const rows = Array.from(body.rows).sort((a, b) => isRising ? compare(a, b) : compare(b, a));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isRising ? "ascending" : "descending");
    body.append(...rows);
  });
}
