from django import template

from metrics import charts

register = template.Library()
register.filter("octets", charts.octets)
register.filter("seconds", charts.seconds)
