import{b as e,l as o,m as p}from"./part-6XEBSQX3.js";o();e(p("p",{children:"hookline"}),document.getElementById("app"));
